//! A tunnel that is not FPS: its readiness, and the sockets of a carrier over UDP.

mod common {
    pub(crate) mod played;
    pub(crate) mod texts;
}

use common::played::{assert_failed, assert_held, assert_unsure, play_out, played};
use common::texts::{NO_SABOTAGE, PAIR};
use fps_lab::play::End;

const NAME: &str = "no-carrier-loop laptop";

/// Who makes a TUN device here is `fps_client`, which waits for an application and sends nothing.
/// What the VPN sends is what `sender` sends: a connected UDP socket, as bash makes it.
const VPN: &str = r#"
[host.laptop.files]
"/run/vpn/client.json" = """
{
  "network": { "listen": "127.0.0.1:9443", "server": "192.168.188.20:9" },
  "security": { "zero_rtt": {
    "enabled": true, "profile_id": "lab",
    "client_uuid": "6f0c8a52-4b1e-4d0a-9c3e-2a7d51f0b864",
    "server_public_key_base64": "xNeuBO+OdgYp6VAqtwhC9b0V5v97x7buwWDEdHZp7T8="
  } },
  "tun": { "enabled": true, "name": "tun0" }
}
"""

[program.sender]
on = "laptop"
command = ["bash", "-c", "exec 3<>/dev/udp/192.168.188.20/1194; echo hello >&3; echo sent; exec sleep 60"]
ready = { output = "sent" }

[tunnel]
client = "laptop"
server = "printer"
client-tun = "tun0"
server-tun = "tun0"
outer = { udp = 1194 }
command.server = ["sleep", "60"]
command.client = ["fps_client", "--config", "/run/vpn/client.json"]
"#;

fn vpn(ready: &str, steps: &str) -> String {
    [NO_SABOTAGE, PAIR, VPN, ready, "\n", steps].concat()
}

const UP: &str = r#"{ routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }"#;
const CHECK: &str = r#"expect = [ { no-carrier-loop = { on = "laptop", for = "100ms" } } ]"#;

#[test]
fn a_client_is_ready_when_its_device_is_there() {
    let step = format!("[[step]]\ndo = [{UP}, {{ start = \"sender\" }}]\n{CHECK}");
    let report = played(&vpn(r#"ready.client = { tun = "exists" }"#, &step));
    assert_held(&report, NAME);
}

#[test]
fn a_device_that_stays_down_is_not_ready() {
    let step = format!("[[step]]\n{CHECK}");
    let ready = r#"ready.client = { tun = "up", within = "200ms" }"#;
    let report = play_out(&vpn(ready, &step), &mut |_| {});
    let End::ActFailed { step, error } = &report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(step, "start the tunnel");
    assert!(
        error.contains("client on laptop was not ready within 200ms: no device tun0 that is up"),
        "{error}"
    );
}

/// It has said nothing since the step began: only its route can tell.
#[test]
fn the_route_of_a_connected_socket_is_a_loop() {
    let route = r#"{ route = { on = "laptop", to = "192.168.188.20/32", link = "tun0" } }"#;
    let steps =
        format!("[[step]]\ndo = [{UP}, {{ start = \"sender\" }}]\n[[step]]\ndo = {route}\n{CHECK}");
    let report = played(&vpn(r#"ready.client = { tun = "exists" }"#, &steps));
    assert_failed(
        &report,
        NAME,
        "the route of a socket that sends to 192.168.188.20 leads into a tunnel of laptop",
    );
}

#[test]
fn without_a_socket_that_sends_there_was_no_carrier() {
    let step = format!("[[step]]\ndo = {UP}\n{CHECK}");
    let report = played(&vpn(r#"ready.client = { tun = "exists" }"#, &step));
    assert_unsure(
        &report,
        NAME,
        "laptop has no socket that sends to 192.168.188.20",
    );
}

/// Its packets go to another port of the server.
#[test]
fn a_socket_for_another_port_is_no_carrier() {
    let step = format!("[[step]]\ndo = [{UP}, {{ start = \"sender\" }}]\n{CHECK}");
    let other = vpn(r#"ready.client = { tun = "exists" }"#, &step)
        .replace("outer = { udp = 1194 }", "outer = { udp = 1195 }");
    assert_unsure(
        &played(&other),
        NAME,
        "laptop has no socket that sends to 192.168.188.20",
    );
}

#[test]
fn its_programs_start_and_end_by_the_names_of_its_ends() {
    let steps = format!(
        r#"
[[step]]
do = [
  {{ stop = "tunnel" }}, {{ start = "tunnel" }},
  {{ kill = "client" }}, {{ stop = "server" }}, {{ start = "server" }}, {{ start = "client" }},
  {UP},
  {{ start = "sender" }},
]
{CHECK}
"#
    );
    let report = played(&vpn(r#"ready.client = { tun = "exists" }"#, &steps));
    assert_held(&report, NAME);
}
