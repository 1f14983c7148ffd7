//! What the kernel has counted in a host, and in no other.

mod common {
    pub(crate) mod live;
}

use std::net::{SocketAddr, UdpSocket};

use common::live::{build, host, shell};
use fps_lab::counters::{Counters, STATISTICS};
use fps_lab::lab::Lab;
use fps_lab::sandbox::SocketKind;

const PAIR: &str = r#"
title    = "Two hosts on one net"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[host.laptop]
link.eth0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"] }

[host.printer]
link.eth0 = { net = "home", ip = ["192.168.188.20", "fd00:188::20"] }

[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;

fn read(lab: &Lab, name: &str) -> Counters {
    Counters::read(lab.sandbox(), host(lab, name).id()).expect("the counters")
}

fn change(changes: &[(String, i64)], name: &str) -> i64 {
    let found = changes.iter().find(|(known, _)| known == name);
    found.map_or(0, |(_, by)| *by)
}

/// Sends three datagrams from the laptop; there may be no way.
fn send(lab: &Lab, to: SocketAddr) {
    let socket = lab
        .sandbox()
        .socket(host(lab, "laptop").id(), SocketKind::udp(to.ip()))
        .expect("a socket");
    let socket = UdpSocket::from(socket);
    for _ in 0..3 {
        // That it cannot be sent, or is refused, is what is to be counted.
        socket.send_to(b"anybody?", to).ok();
    }
}

#[tokio::test]
async fn a_packet_is_counted_in_its_host_and_in_no_other() {
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), PAIR).await;
    let (laptop, printer) = (read(&lab, "laptop"), read(&lab, "printer"));
    // Nobody has a way to the first two, and no program of the printer has the ports.
    for to in [
        "198.51.100.1:9",
        "[2001:db8::1]:9",
        "192.168.188.20:9",
        "[fd00:188::20]:9",
    ] {
        send(&lab, to.parse().expect("an address"));
    }
    let sent = read(&lab, "laptop").since(&laptop);
    let heard = read(&lab, "printer").since(&printer);
    for (changes, name, by) in [
        (&sent, "Ip.OutNoRoutes", 3),
        (&sent, "Ip6.OutNoRoutes", 3),
        (&sent, "Udp.NoPorts", 0),
        (&heard, "Ip.OutNoRoutes", 0),
        (&heard, "Udp.NoPorts", 3),
        (&heard, "Udp6.NoPorts", 3),
        (&heard, "IcmpMsg.OutType3", 3),
    ] {
        assert_eq!(change(changes, name), by, "{name}: {changes:?}");
    }
    assert!(change(&sent, "eth0.tx_packets") >= 6, "{sent:?}");
    assert!(change(&heard, "eth0.rx_packets") >= 6, "{heard:?}");
}

#[tokio::test]
async fn a_links_statistics_have_the_kernels_names() {
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), PAIR).await;
    send(&lab, "192.168.188.20:9".parse().expect("an address"));
    let script = "cd /sys/class/net/eth0/statistics; grep . *";
    // Until it is quiet: the kernel itself speaks on a fresh link.
    for _ in 0..20 {
        let before = read(&lab, "laptop");
        let text = shell(&lab, "laptop", script).await;
        if read(&lab, "laptop").since(&before).is_empty() {
            for name in STATISTICS {
                let line = text
                    .lines()
                    .find(|line| line.starts_with(&format!("{name}:")));
                let value = line.and_then(|line| line.rsplit(':').next()?.parse().ok());
                assert_eq!(before.get(&format!("eth0.{name}")), value, "{name}\n{text}");
            }
            return;
        }
    }
    panic!("the link never rests");
}
