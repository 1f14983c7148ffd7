//! What is said of packets that did not come.

use std::fs;
use std::path::Path;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use fps_lab::play::{Event, Report};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use crate::pair;
use crate::played::{assert_failed, assert_held, assert_unsure, played, played_under};

#[test]
fn silence_on_a_link_that_is_not_there_proves_nothing() {
    let report = played(&pair(
        r#"
[program.vpn]
on = "laptop"
command = ["true"]
tun = "tun9"
[[step]]
expect = [ { silent = { on = "laptop", link = "tun9", for = "50ms" } } ]
"#,
    ));
    assert_unsure(&report, "silent laptop:tun9", "laptop has no link tun9");
}

#[test]
fn silence_on_a_link_that_is_down_proves_nothing() {
    let report = played(&pair(
        r#"
[[step]]
do = { link = { on = "laptop", link = "eth0", state = "down" } }
[[step]]
expect = [ { silent = { on = "laptop", link = "eth0", for = "50ms" } } ]
"#,
    ));
    let sign = "no control packet could be put onto laptop:eth0";
    assert_unsure(&report, "silent laptop:eth0", sign);
}

#[test]
fn silence_on_a_link_that_is_up_holds() {
    let report = played(&pair(
        r#"
[[step]]
expect = [ { silent = { on = "laptop", link = "eth0", to = "printer", for = "50ms" } } ]
"#,
    ));
    assert_held(&report, "silent laptop:eth0 to printer");
}

#[test]
fn silence_is_broken_by_a_packet_sent_while_an_act_is_done() {
    let report = played(&pair(
        r#"
[[step]]
do = { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } }
expect = [
  { silent = { name = "own end", on = "laptop", link = "eth0", to = "printer", for = "50ms" } },
  { silent = { name = "far end", on = "printer", link = "eth0", to = "laptop", for = "50ms" } },
]
[[step]]
expect = [ { silent = { name = "later", on = "laptop", link = "eth0", to = "printer", for = "50ms" } } ]
"#,
    ));
    assert_failed(&report, "own end", "expected silence on laptop:eth0");
    assert_failed(&report, "far end", "expected silence on printer:eth0");
    // What the first step saw is not held against the second.
    assert_held(&report, "later");
}

#[test]
fn silence_one_way_is_broken_by_what_goes_that_way() {
    let report = played(&pair(
        r#"
[[step]]
# Nothing comes back.
do = [
  { firewall = { on = "printer", chain = "in", from = "laptop" } },
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } },
]
expect = [
  { silent = { on = "laptop", link = "eth0", direction = "out", for = "50ms" } },
  { silent = { on = "laptop", link = "eth0", direction = "in", to = "printer", for = "50ms" } },
  { silent = { on = "printer", link = "eth0", direction = "in", for = "50ms" } },
  { silent = { on = "printer", link = "eth0", direction = "out", for = "50ms" } },
]
"#,
    ));
    let left = "expected silence on laptop:eth0; 1 packets left since";
    assert_failed(&report, "silent laptop:eth0 (out)", left);
    assert_held(&report, "silent laptop:eth0 (in) to printer");
    let came = "expected silence on printer:eth0; 1 packets came in since";
    assert_failed(&report, "silent printer:eth0 (in)", came);
    assert_held(&report, "silent printer:eth0 (out)");
}

#[test]
fn silence_is_broken_by_a_packet_sent_after_the_act() {
    let report = played(&pair(
        r#"
[program.late]
on = "laptop"
command = ["bash", "-c", "sleep 0.2; echo > /dev/udp/192.168.188.20/9; sleep 60"]
[[step]]
do = { start = "late" }
expect = [
  { silent = { name = "long enough", on = "laptop", link = "eth0", to = "printer", for = "1s" } },
]
"#,
    ));
    assert_failed(&report, "long enough", "packets passed");
}

/// The client is restarted after a packet has entered its tunnel.
const RESTART: &str = r#"
[tunnel]
client = "laptop"
server = "printer"
[[step]]
name = "first"
do = { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } }
[[step]]
do = [
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/10.66.0.1/9"] } },
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
]
expect = [ { silent = { name = "tunnel", on = "laptop", link = "fpsc0", to = "10.66.0.1", for = "50ms" } } ]
"#;

#[test]
fn silence_is_broken_by_a_packet_on_a_link_that_was_made_anew() {
    // The device has its old name and another index.
    let report = played(&pair(RESTART));
    assert_failed(&report, "tunnel", "expected silence on laptop:fpsc0");
}

/// A client whose device nobody has seen before or after has had a packet.
const BETWEEN: &str = r#"
[tunnel]
client = "laptop"
server = "printer"
[[step]]
do = [
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
  { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/10.66.0.1/9"] } },
  { kill = "client" },
  { start = "client" },
  { routes = { on = "laptop", tun-address = "10.66.0.2/30", mtu = 1280 } },
]
expect = [
  { silent = { name = "tunnel", on = "laptop", link = "fpsc0", to = "10.66.0.1", for = "50ms" } },
  { silent = { name = "others", on = "laptop", link = "fpsc0", to = "10.9.9.9", for = "50ms" } },
]
"#;

#[test]
fn silence_is_broken_by_a_packet_on_a_link_that_came_and_went() {
    let report = played(&pair(BETWEEN));
    assert_failed(&report, "tunnel", "expected silence on laptop:fpsc0");
    assert_held(&report, "others");
}

/// What may not come is looked for until the step's other expectations are through, however late they are.
#[test]
fn what_comes_of_another_expectation_counts() {
    let report = played(&pair(
        r#"
[program.late]
on = "laptop"
command = ["bash", "-c", "echo waits; sleep 0.6; echo > /dev/udp/192.168.188.20/9; echo sent; sleep 60"]
ready = { output = "waits" }
[[step]]
do = { start = "late" }
expect = [
  { counter = { as = "nothing", on = "printer", name = "Udp.NoPorts", exactly = 0, for = "100ms" } },
  { log = { name = "no line", who = "late", text = "sent", exactly = 0, for = "100ms" } },
  { silent = { name = "silence", on = "printer", link = "eth0", to = "laptop", for = "100ms" } },
  { silent = { name = "silence of others", on = "printer", link = "eth0", to = "192.168.188.99", for = "100ms" } },
  { counter = { as = "one at most", on = "printer", name = "Udp.NoPorts", at-most = 1, for = "100ms" } },
  { says = { who = "late", text = "sent", within = "10s" } },
]
"#,
    ));
    assert_failed(&report, "nothing", "1 came");
    assert_failed(&report, "no line", "sent");
    assert_failed(&report, "silence", "expected silence on printer:eth0");
    assert_held(&report, "silence of others");
    assert_held(&report, "one at most");
}

/// What `silent` puts onto a link to prove itself is not what passed it.
#[test]
fn the_control_packet_of_silence_is_not_counted() {
    let report = played(&pair(
        r#"
[[step]]
do = { sysctl = { on = "laptop", key = "net.ipv6.conf.eth0.disable_ipv6", value = 1 } }
[[step]]
expect = [
  { silent = { name = "silence", on = "laptop", link = "eth0", for = "50ms" } },
  { counter = { as = "nothing", on = "laptop", name = "eth0.tx_packets", exactly = 0, for = "100ms" } },
]
[[step]]
do = { run = { on = "laptop", command = ["bash", "-c", "echo > /dev/udp/192.168.188.20/9"] } }
expect = { counter = { as = "something", on = "laptop", name = "eth0.tx_packets", at-least = 1 } }
"#,
    ));
    assert_held(&report, "silence");
    assert_held(&report, "nothing");
    assert_held(&report, "something");
}

/// More packets than fit in the buffer of a capture that nobody reads: 16 MiB, and each counts 2 KiB at least.
/// Nobody reads what it prints either, and the printer refuses some: what bash says of that would fill its pipe,
/// the sooner the slower it sends, and it would wait for ever.
const FLOOD: &str = r#"
[program.flood]
on = "HOST"
command = ["bash", "-c", "exec 3> /dev/udp/TARGET/9 2> /dev/null; printf -v line %01400d 0; for i in {1..12000}; do echo $line >&3; done; echo > FIFO; sleep 60"]
"#;

/// Plays steps of which one starts `flood` on a host, which floods a target. Nothing is read from any capture
/// until that is through.
fn played_with_flood(host: &str, target: &str, steps: &str) -> Report {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let fifo = folder.path().join("fifo");
    mkfifo(&fifo, Mode::from_bits_truncate(0o666)).expect("make a pipe");
    let flood = FLOOD.replace("FIFO", &fifo.to_string_lossy());
    let flood = flood.replace("HOST", host).replace("TARGET", target);
    played_under(&pair(&[&flood, steps].concat()), &mut |event| {
        if let Event::Act { report } = event
            && report.act.contains("flood")
        {
            await_writer(&fifo, Duration::from_secs(60));
        }
    })
}

/// What the laptop expects while it floods the printer.
const FLOODING: &str = r#"
[[step]]
do = { start = "flood" }
expect = [
  { silent = { name = "silence", on = "laptop", link = "eth0", to = "192.168.188.99", for = "50ms" } },
  { reach = { name = "by eth0", from = "laptop", to = "printer", via = "eth0" } },
  { reach = { name = "by any", from = "laptop", to = "printer" } },
  { path = { name = "path", from = "laptop", to = "printer", hops = ["laptop:eth0", "printer:eth0"] } },
]
"#;

#[test]
fn a_capture_that_lost_packets_proves_no_absence() {
    let report = played_with_flood("laptop", "192.168.188.20", FLOODING);
    assert_unsure(&report, "silence", "the capture on laptop lost");
    assert_unsure(&report, "by eth0", "the capture on laptop lost");
    // It may have passed further links, too.
    assert_unsure(&report, "path", "the capture on laptop lost");
    // What has come back has been there, whatever else was lost.
    assert_held(&report, "by any");
}

/// The printer floods itself, and the laptop has taken its address.
const TAKEN: &str = r#"
[[step]]
do = { addr = { on = "laptop", link = "eth0", ip = "192.168.188.20" } }
expect = [ { reach = { name = "seen", from = "laptop", to = "printer", within = "100ms" } } ]
[[step]]
do = { start = "flood" }
expect = [
  { reach = { name = "within", from = "laptop", to = "printer", within = "100ms" } },
  { reach = { name = "for", from = "laptop", to = "printer", for = "100ms" } },
]
"#;

#[test]
fn a_capture_that_lost_packets_does_not_prove_that_none_came() {
    let report = played_with_flood("printer", "127.0.0.1", TAKEN);
    assert_failed(&report, "seen", "the question never came to printer");
    assert_unsure(&report, "within", "the capture on printer lost");
    assert_unsure(&report, "for", "the capture on printer lost");
}

/// Waits until somebody has written to a named pipe.
fn await_writer(fifo: &Path, within: Duration) {
    let (tell, told) = channel();
    let fifo = fifo.to_owned();
    thread::spawn(move || {
        let read = fs::read(fifo);
        tell.send(read).ok();
    });
    let read = told.recv_timeout(within).expect("the flood ends");
    read.expect("the pipe can be read");
}
