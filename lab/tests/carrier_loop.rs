//! `no-carrier-loop` cannot lie: it sees a packet that looped, a route by which the next one would,
//! and a carrier that says more than it carries, and is unsure where there was nothing to see.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use common::played::{assert_failed, assert_held, assert_unsure, played};
use common::texts::{NO_SABOTAGE, PAIR};

const NAME: &str = "no-carrier-loop laptop";

/// Two hosts on one net with a tunnel between them, and these steps. The carrier carries.
fn tunnel(steps: &str) -> String {
    let tunnel = "[tunnel]\nclient = \"laptop\"\nserver = \"printer\"\n";
    [NO_SABOTAGE, PAIR, tunnel, steps].concat()
}

#[test]
fn a_carrier_on_the_underlay_is_no_loop() {
    let report = played(&tunnel(
        r#"
[[step]]
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
expect = [ { no-carrier-loop = { on = "laptop", for = "100ms" } } ]
"#,
    ));
    assert_held(&report, NAME);
}

/// It is looked for until the step's other expectations are through.
#[test]
fn a_loop_that_comes_while_another_expectation_is_checked_is_one() {
    let report = played(&tunnel(
        r#"
[[step]]
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
[[step]]
expect = [
  { no-carrier-loop = { on = "laptop", for = "100ms" } },
  { prints = { name = "late", on = "laptop", text = "sent\n", command = ["bash", "-c", """sleep 0.6
      ip route add 192.168.188.20 dev fpsc0; echo > /dev/udp/192.168.188.20/9; ip route del 192.168.188.20; echo sent"""] } },
]
"#,
    ));
    assert_held(&report, "late");
    assert_failed(&report, NAME, "a tunnel of laptop");
}

#[test]
fn without_a_tunnel_device_nobody_can_tell() {
    let report = played(&tunnel(
        r#"
[[step]]
do = { kill = "client" }
expect = [ { no-carrier-loop = { on = "laptop", for = "50ms" } } ]
"#,
    ));
    assert_unsure(&report, NAME, "laptop has no tunnel into which");
}

#[test]
fn a_device_that_is_down_proves_nothing() {
    let report = played(&tunnel(
        r#"
[[step]]
expect = [ { no-carrier-loop = { on = "laptop", for = "50ms" } } ]
"#,
    ));
    assert_unsure(
        &report,
        NAME,
        "no control packet could be put onto laptop:fpsc0",
    );
}

#[test]
fn without_a_connection_there_was_no_carrier() {
    // The application has ended before the client has closed its connection, to 192.168.188.20 as the
    // kernel writes it; state 06 is what is left of one (TIME_WAIT in net/tcp_states.h).
    let report = played(&tunnel(
        r#"
[[step]]
do = [
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { stop = "carrier" },
  { run = { on = "laptop", command = ["sh", "-c", """while awk '$3 ~ /^14BCA8C0:/ && $4 != "06"' /proc/net/tcp | grep -q .; do :; done"""] } },
]
[[step]]
expect = [ { no-carrier-loop = { on = "laptop", for = "50ms" } } ]
"#,
    ));
    assert_unsure(
        &report,
        NAME,
        "laptop was never connected to 192.168.188.20",
    );
}

/// A question of the lab's own that waits in the tunnel for its answer is no carrier.
#[test]
fn the_route_of_a_probe_is_no_loop() {
    let steps = r#"
[[step]]
do = [
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { rule = { on = "laptop", priority = 100, fwmark = "5", table = 55 } },
  { route = { on = "laptop", to = "192.168.188.20/32", link = "fpsc0", table = 55 } },
]
[[step]]
expect = [
  { no-carrier-loop = { on = "laptop", for = "200ms" } },
  { unreachable = { name = "probe", from = "laptop", to = "printer", with = "tcp", port = 80, mark = 5, for = "400ms" } },
]
"#;
    let served = "[host.printer]\nserve = { tcp = [80] }";
    let report = played(&tunnel(steps).replace("[host.printer]", served));
    assert_held(&report, "probe");
    assert_held(&report, NAME);
}

/// A connection that says nothing, since nobody sends: only its route can tell.
#[test]
fn the_route_of_a_silent_connection_is_a_loop() {
    let report = played(&tunnel(
        r#"
[program.idle]
on = "laptop"
command = ["bash", "-c", "exec 3<>/dev/tcp/192.168.188.20/7443; echo connected; exec sleep 60"]
ready = { output = "connected" }
[[step]]
do = [
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { start = "idle" },
  { stop = "carrier" },
]
[[step]]
name = "before"
expect = [ { no-carrier-loop = { name = "before", on = "laptop", for = "50ms" } } ]
[[step]]
do = { route = { on = "laptop", to = "192.168.188.20/32", link = "fpsc0" } }
expect = [ { no-carrier-loop = { name = "after", on = "laptop", for = "50ms" } } ]
"#,
    ));
    assert_held(&report, "before");
    assert_failed(
        &report,
        "after",
        "the route of a connection to 192.168.188.20 leads into a tunnel of laptop",
    );
}

/// The loop is over before anybody looks: only the capture can tell.
#[test]
fn a_packet_that_looped_while_an_act_was_done_is_a_loop() {
    let report = played(&tunnel(
        r#"
[[step]]
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
[[step]]
do = [
  { route = { on = "laptop", to = "192.168.188.20/32", link = "fpsc0" } },
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } },
  { route = { on = "laptop", action = "delete", to = "192.168.188.20/32", link = "fpsc0" } },
]
expect = [ { no-carrier-loop = { on = "laptop", for = "50ms" } } ]
[[step]]
expect = [ { no-carrier-loop = { name = "later", on = "laptop", for = "50ms" } } ]
"#,
    ));
    assert_failed(
        &report,
        NAME,
        "to 192.168.188.20 went into a tunnel of laptop",
    );
    assert_held(&report, "later");
}

/// What the lab itself sends through the tunnel to the server's own address is not the carrier.
#[test]
fn a_probe_through_the_tunnel_is_no_loop() {
    let report = played(&tunnel(
        r#"
[[step]]
do = [
  { routes = { on = "printer", tun-address = "10.66.0.1/30", mtu = 1280 } },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280, full-tunnel = true, fwmark = "0x1" } },
]
expect = [
  { reach = { name = "probe", from = "laptop", to = "192.168.188.20", mark = "0x1", via = "fpsc0", within = "400ms" } },
  { no-carrier-loop = { on = "laptop", for = "100ms" } },
]
"#,
    ));
    assert_held(&report, "probe");
    assert_held(&report, NAME);
}

/// A laptop that forwards what its router sends it, as one that shares its connection does.
const ROUTED: &str = r#"
title = "A laptop, its router and a server behind that"

[net.home]
v4 = "192.168.188.0/24"
[net.internet]
v4 = "203.0.113.0/24"

[host.laptop]
forward   = true
link.eth0 = { net = "home", ip = "192.168.188.112", via = "192.168.188.1" }

[host.router]
forward  = true
link.lan = { net = "home", ip = "192.168.188.1" }
link.wan = { net = "internet", ip = "203.0.113.1" }

[host.server]
link.eth0 = { net = "internet", ip = "203.0.113.10", via = "203.0.113.1" }

[tunnel]
client = "laptop"
server = "server"
"#;

/// The router sends the carrier back to the laptop, which sends it to the router, until its time to
/// live is over. No packet goes into the tunnel and the laptop's route is right: only how much there
/// is of the carrier can tell.
#[test]
fn a_carrier_that_goes_round_between_laptop_and_router_is_a_loop() {
    let steps = r#"
[[step]]
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
expect = [ { no-carrier-loop = { name = "before", on = "laptop", for = "200ms" } } ]
[[step]]
do = [
  { sysctl = { on = "laptop", key = "net.ipv4.conf.all.accept_local", value = 1 } },
  { route = { on = "router", to = "203.0.113.10/32", via = "192.168.188.112", link = "lan" } },
]
expect = [ { no-carrier-loop = { name = "round and round", on = "laptop", for = "600ms" } } ]
"#;
    let report = played(&[NO_SABOTAGE, ROUTED, steps].concat());
    assert_held(&report, "before");
    assert_failed(&report, "round and round", "than it carries");
}

/// What went round is little for all the time that another expectation takes.
#[test]
fn a_carrier_that_went_round_for_a_moment_is_a_loop_for_the_time_it_was_to_hold() {
    let steps = r#"
[[step]]
do = [
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { sysctl = { on = "laptop", key = "net.ipv4.conf.all.accept_local", value = 1 } },
]
[[step]]
do = { route = { on = "router", to = "203.0.113.10/32", via = "192.168.188.112", link = "lan" } }
expect = [
  { no-carrier-loop = { name = "round and round", on = "laptop", for = "600ms" } },
  { prints = { name = "its end", on = "router", text = "gone\n", within = "20s", command = ["sh", "-c", "sleep 0.8; ip route del 203.0.113.10/32; sleep 6; echo gone"] } },
]
"#;
    let report = played(&[NO_SABOTAGE, ROUTED, steps].concat());
    assert_held(&report, "its end");
    assert_failed(&report, "round and round", "than it carries");
}

/// What the tunnel carries may be much.
#[test]
fn a_tunnel_that_carries_much_is_no_loop() {
    let report = played(&tunnel(
        r#"
[[step]]
do = [
  { routes = { on = "printer", tun-address = "10.66.0.1/30", mtu = 1280 } },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280, route = "10.66.0.0/30" } },
  { run = { on = "laptop", command = ["bash", "-c", "for i in {1..500}; do echo $i > /dev/udp/10.66.0.1/9; done; head -c 60000 /dev/zero > /dev/udp/10.66.0.1/9"] } },
]
expect = [ { no-carrier-loop = { on = "laptop", for = "300ms" } } ]
"#,
    ));
    assert_held(&report, NAME);
}
