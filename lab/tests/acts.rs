//! Acts that cannot be done say so and end the play, names follow links, and what a link was given goes
//! with what gave it.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use common::played::{assert_failed, assert_held, assert_unsure, play_out, played};
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::End;

/// Plays acts of one step, the last of which fails; gives why.
fn failure(top: &str, acts: &str) -> String {
    let text = format!("{NO_SABOTAGE}{top}{PAIR}\n[[step]]\ndo = [ {acts} ]\n");
    let report = play_out(&text, &mut |_| {});
    let acts = &report.steps[0].acts;
    let (last, others) = acts.split_last().expect("an act");
    assert!(others.iter().all(|act| act.error.is_none()), "{acts:#?}");
    assert!(last.error.is_some(), "{acts:#?}");
    match report.end {
        End::ActFailed { error, .. } => error,
        other => panic!("the play ended otherwise: {other:?}"),
    }
}

#[test]
fn a_ruleset_that_is_wrong_fails_with_what_nft_says_and_loads_nothing() {
    let error = failure(
        "needs = [\"nft\"]\n",
        r#"
  { nft = { on = "laptop", ruleset = "add table inet good" } },
  { run = { on = "laptop", command = ["sh", "-c", "nft list tables | grep -q good"] } },
  { nft = { on = "laptop", ruleset = "add table inet half\nadd rule inet half nowhere drop" } },
"#,
    );
    assert!(error.contains("No such file or directory"), "{error}");
    assert!(error.contains("add rule inet half nowhere drop"), "{error}");
    let error = failure(
        "needs = [\"nft\"]\n",
        r#"
  { run = { on = "laptop", exit = 1, command = ["nft", "add table inet half; add rule inet half nowhere drop"] } },
  { run = { on = "laptop", command = ["sh", "-c", "nft list tables | grep half"] } },
"#,
    );
    assert!(
        error.contains("exit code 1"),
        "nothing of it stands: {error}"
    );
}

#[test]
fn what_is_not_there_cannot_be_cleared() {
    let error = failure("", r#"{ firewall = { on = "laptop", action = "clear" } }"#);
    assert!(error.contains("there is no rule of `firewall`"), "{error}");
    let error = failure(
        "",
        r#"
  { impair = { on = "laptop", link = "eth0", mtu = 1400 } },
  { impair = { on = "laptop", link = "eth0", clear = true } },
  { impair = { on = "laptop", link = "eth0", clear = true } },
"#,
    );
    assert!(error.contains("nothing has impaired it"), "{error}");
}

#[test]
fn an_address_that_is_not_there_cannot_be_deleted() {
    let error = failure(
        "",
        r#"
  { addr = { on = "laptop", link = "eth0", ip = "192.168.188.77" } },
  { addr = { on = "laptop", link = "eth0", action = "delete", ip = "192.168.188.77" } },
  { addr = { on = "laptop", link = "eth0", action = "delete", ip = "192.168.188.77" } },
"#,
    );
    assert!(error.contains("192.168.188.77/24"), "{error}");
}

/// The laptop speaks by one link, which then leaves its name to another.
const NAMES_CHANGE: &str = r#"
title    = "Two links change names"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[net.other]
v4 = "10.0.7.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }
link.eth1 = { net = "other", ip = "10.0.7.2" }

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }

[[step]]
do = [
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } },
  { link = { on = "laptop", link = "eth0", rename = "eth9" } },
  { link = { on = "laptop", link = "eth1", rename = "eth0" } },
]
expect = [
  { silent = { name = "by its new name, in the same step", on = "laptop", link = "eth9", to = "printer", for = "50ms" } },
]

[[step]]
do = { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } }
expect = [
  { silent = { name = "the link that spoke", on = "laptop", link = "eth9", to = "printer", for = "50ms" } },
  { silent = { name = "the link that has its name now", on = "laptop", link = "eth0", to = "printer", for = "50ms" } },
]
"#;

#[test]
fn silence_is_that_of_the_link_which_has_the_name_and_not_of_one_which_had_it() {
    let report = played(NAMES_CHANGE);
    assert_failed(
        &report,
        "by its new name, in the same step",
        "expected silence",
    );
    assert_failed(&report, "the link that spoke", "expected silence");
    assert_held(&report, "the link that has its name now");
}

#[test]
fn an_address_belongs_to_its_host_until_it_is_deleted() {
    let steps = r#"
[[step]]
do = { addr = { on = "printer", link = "eth0", ip = "192.168.188.77" } }
expect = [ { reach = { name = "there", from = "laptop", to = "192.168.188.77" } } ]
[[step]]
do = { addr = { on = "printer", link = "eth0", action = "delete", ip = "192.168.188.77" } }
expect = [ { unreachable = { name = "gone", from = "laptop", to = "192.168.188.77", for = "100ms" } } ]
"#;
    let report = played(&[NO_SABOTAGE, PAIR, steps].concat());
    assert_held(&report, "there");
    assert_unsure(&report, "gone", "192.168.188.77 belongs to no host");
}

/// A home that gives a smaller MTU, in both families, and a cafe that says none.
const GIVEN: &str = r#"
title    = "A laptop goes from its home to a cafe"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[net.cafe]
v4 = "10.0.7.0/24"
v6 = "fd00:7::/64"

[host.home-router]
dhcp-server.lan = { range = "192.168.188.100", name-servers = "192.168.188.1", mtu = 1400 }
advertise.lan   = { mtu = 1300 }
link.lan        = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }

[host.cafe-router]
dhcp-server.lan = { range = "10.0.7.100", name-servers = [] }
advertise.lan   = {}
link.lan        = { net = "cafe", ip = ["10.0.7.1", "fd00:7::1"] }

[host.laptop]
link.eth0 = { net = "home", ip = ["dhcp", "ra"] }
"#;

#[test]
fn a_roam_leaves_the_mtu_of_a_net_behind_and_the_routes_of_others_alone() {
    let steps = r#"
[[step]]
do = { run = { on = "laptop", command = ["sh", "-c", "ip -6 route add 2001:db8::1 via fd00:188::1 dev eth0"] } }
expect = { kernel = { name = "at home", on = "laptop", links = "eth0 mtu 1400", sysctls = "net.ipv6.conf.eth0.mtu = 1300" } }

[[step]]
do = { roam = { on = "laptop", link = "eth0", to = "cafe", ip = ["dhcp", "ra"] } }

[step.expect.kernel]
name    = "in the cafe"
on      = "laptop"
links   = "eth0 mtu 1500"
sysctls = "net.ipv6.conf.eth0.mtu = 1500"
routes  = "2001:db8::1 via fd00:188::1 dev eth0"
absent  = { routes = "fd00:188::/64 dev eth0" }
"#;
    let report = played(&[GIVEN, steps].concat());
    assert_held(&report, "at home");
    assert_held(&report, "in the cafe");
}

#[test]
fn a_lease_that_is_given_back_takes_its_mtu_along() {
    let steps = r#"
[[step]]
do = { dhcp = { on = "laptop", link = "eth0", do = "release" } }
expect = { kernel = { name = "without a lease", on = "laptop", links = "eth0 mtu 1500" } }

[[step]]
do = { dhcp = { on = "laptop", link = "eth0", do = "discover" } }
expect = { kernel = { name = "with one again", on = "laptop", links = "eth0 mtu 1400" } }
"#;
    let report = played(&[GIVEN, steps].concat());
    assert_held(&report, "without a lease");
    assert_held(&report, "with one again");
}

#[test]
fn a_new_name_of_a_link_is_no_new_lease() {
    // The control is the renewal, after which the file is written again.
    let steps = r#"
[[step]]
do = [
  { run = { on = "laptop", command = ["sh", "-c", "echo mine > /etc/resolv.conf"] } },
  { link = { on = "laptop", link = "eth0", rename = "lan0" } },
  { run = { on = "laptop", command = ["grep", "mine", "/etc/resolv.conf"] } },
  { dhcp = { on = "laptop", link = "lan0", do = "renew" } },
  { run = { on = "laptop", command = ["grep", "192.168.188.1", "/etc/resolv.conf"] } },
]
"#;
    played(&[GIVEN, steps].concat());
}

#[test]
fn who_serves_a_link_serves_it_when_it_is_made_again_and_by_its_new_name() {
    let steps = r#"
[[step]]
do = [
  { link = { on = "home-router", link = "lan", rename = "lan0" } },
  { link = { on = "home-router", link = "lan0", state = "deleted" } },
  { link = { on = "home-router", link = "lan0", state = "recreated" } },
  { advertise = { on = "home-router", link = "lan0", mtu = 1290 } },
  { dhcp-server = { on = "home-router", link = "lan0", mtu = 1450 } },
  { dhcp = { on = "laptop", link = "eth0", do = "discover" } },
]
expect = { kernel = { name = "by the new link", on = "laptop", links = "eth0 mtu 1450", sysctls = "net.ipv6.conf.eth0.mtu = 1290" } }
"#;
    let report = played(&[GIVEN, steps].concat());
    assert_held(&report, "by the new link");
}

#[test]
fn what_is_under_way_on_a_bad_link_is_lost_with_its_cable() {
    // Without the cable's part the same datagram arrives, later than it was sent.
    let send = r#"{ run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } }"#;
    let steps = format!(
        r#"
[[step]]
expect = {{ reach = {{ from = "laptop", to = "printer" }} }}

[[step]]
do = [ {{ impair = {{ on = "laptop", link = "eth0", delay = "200ms" }} }}, {send} ]
expect = {{ silent = {{ name = "left alone", on = "printer", link = "eth0", to = "laptop", for = "400ms" }} }}

[[step]]
do = [
  {send},
  {{ link = {{ on = "laptop", link = "eth0", state = "unplugged" }} }},
  {{ link = {{ on = "laptop", link = "eth0", state = "plugged" }} }},
]
expect = {{ silent = {{ name = "cut", on = "printer", link = "eth0", to = "laptop", for = "400ms" }} }}
"#
    );
    let report = played(&[NO_SABOTAGE, PAIR, &steps].concat());
    assert_failed(&report, "left alone", "expected silence");
    assert_held(&report, "cut");
}

#[test]
fn who_is_only_slow_is_not_unreachable() {
    let steps = r#"
[[step]]
do = [
  { impair = { on = "laptop", link = "eth0", delay = "10ms" } },
  { firewall = { on = "printer", chain = "in", arrives-by = "eth0" } },
]
expect = { unreachable = { name = "closed", from = "laptop", to = "printer", for = "300ms", how = "filtered" } }

[[step]]
do = [
  { firewall = { on = "printer", action = "clear" } },
  { impair = { on = "laptop", link = "eth0", delay = "200ms" } },
]
expect = [
  { unreachable = { name = "slow", from = "laptop", to = "printer", for = "300ms" } },
  { unreachable = { name = "slow too", from = "laptop", to = "printer", for = "300ms", how = "filtered" } },
]
"#;
    let report = played(&[NO_SABOTAGE, PAIR, steps].concat());
    assert_held(&report, "closed");
    assert_unsure(&report, "slow", "answers may still be on their way");
    assert_unsure(&report, "slow too", "answers may still be on their way");
}
