//! The source that `fps-lab why` tells of an archive is the one that the kernel would take.

use std::net::IpAddr;
use std::process::Command;
use std::time::{Duration, Instant};

use fps_lab::dump::{Dump, Files};
use fps_lab::explain::Query;
use fps_netns::testing::{Dice, with_namespaces};

/// Two links with a cable each, and what leads by them.
const BASE: &str = "
ip link add v0 type veth peer name p0
ip link add v1 type veth peer name p1
ip link set lo up
ip link add v2 type veth peer name p2
ip link set v0 up
ip link set p0 up
ip link set v1 up
ip link set p1 up
ip route add default dev v0
ip -6 route add default dev v0
ip route add 10.66.0.0/16 dev v1
ip -6 route add fd66::/32 dev v1
ip -6 route add 2001:db8:66::/48 dev v1
";

const V6: [&str; 9] = [
    "fd66::2/64 dev v1",
    "fd66:0:1::2/64 dev v0",
    "fd00:188::112/64 dev v0",
    "2001:db8:1::5/64 dev v0",
    "2001:db8:66::5/64 dev v1",
    "2001:db8:66:1::9/128 dev lo",
    "2002:c000:204::1/64 dev v1",
    "fec0::7/64 dev v0",
    "2001:db8:1:2::8/64 dev v0",
];
const V4: [&str; 9] = [
    "198.18.7.1/24 dev v2",
    "10.9.0.5 peer 10.8.0.77/32 dev v1",
    "10.66.0.9/16 dev v1",
    "10.8.0.2/24 dev v1",
    "10.8.0.3/24 dev v1",
    "192.168.188.112/24 dev v0",
    "192.168.188.113/24 dev v0",
    "169.254.1.1/16 scope link dev v1",
    "172.20.0.1/32 dev lo",
];
const TO: [&str; 12] = [
    "fd66::99",
    "fd66:0:1::99",
    "fd77::1",
    "2001:db8:66::77",
    "2001:db8:1:2::77",
    "2001:4860:4860::8888",
    "2002:c000:205::1",
    "ff02::fb",
    "10.66.7.7",
    "10.8.0.77",
    "192.168.188.1",
    "203.0.113.9",
];

/// What a command of several lines prints; it succeeds.
fn sh(command: &str) -> String {
    let output = Command::new("sh").args(["-ec", command]).output();
    let output = output.expect("sh starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {said}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What `fps-lab collect` reads.
fn dump() -> Dump {
    let mut files = Files::default();
    for (file, command) in [
        ("link.json", "ip -j -d link"),
        ("addr.json", "ip -j -d addr"),
        ("route4.json", "ip -4 -j -d route show table all"),
        ("route6.json", "ip -6 -j -d route show table all"),
        ("rule4.json", "ip -4 -j -d rule"),
        ("rule6.json", "ip -6 -j -d rule"),
        ("sysctl.txt", "sysctl net 2>&1 || true"),
    ] {
        files.insert(file, sh(command));
    }
    Dump::read(&files).expect("a dump")
}

/// The source that the kernel gives a socket; none where it gives none or has no way.
fn kernel(to: &str) -> Option<IpAddr> {
    let told = sh(&format!("ip -j route get {to} 2>/dev/null || echo '[]'"));
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    told[0]["prefsrc"].as_str()?.parse().ok()
}

fn worked_out(dump: &Dump, to: &str) -> Option<IpAddr> {
    let query = Query {
        to: to.parse().expect("an address"),
        from: None,
        mark: None,
        came_in: None,
        port: None,
        user: Some(0),
    };
    let lines = dump.explain("host", &query, None).expect("an explanation");
    let source = lines
        .iter()
        .find_map(|line| line.strip_prefix("its source is "));
    source.and_then(|ip| ip.parse().ok())
}

#[test]
fn is_what_the_kernel_takes() {
    with_namespaces("is_what_the_kernel_takes", async || {
        sh(BASE);
        // Until the links have addresses of their own that nobody else has, which takes a second.
        let begin = Instant::now();
        let own = |text: &str| text.matches("scope link").count();
        while own(&sh("ip -6 addr show scope link -tentative")) < 4 {
            assert!(
                begin.elapsed() < Duration::from_secs(20),
                "{}",
                sh("ip addr")
            );
            tokio::task::yield_now().await;
        }
        let mut dice = Dice::new(0x4650_5353);
        let (mut compared, mut deprecated) = (0, 0);
        for _ in 0..25 {
            sh(
                "for link in v0 v1 v2; do ip addr flush dev $link scope global; ip addr flush dev $link scope link to 169.254.0.0/16; ip addr flush dev $link to fec0::/10; done; ip addr flush dev lo scope global",
            );
            for address in V6 {
                if dice.throw(2) == 0 {
                    continue;
                }
                let old = dice.throw(3) == 0;
                let lifetime = if old { "preferred_lft 0" } else { "" };
                deprecated += usize::from(old);
                sh(&format!("ip addr add {address} nodad {lifetime}"));
            }
            for address in V4.into_iter().filter(|_| dice.throw(2) == 0) {
                sh(&format!("ip addr add {address}"));
            }
            sh("ip route replace default dev v0
                ip route replace 10.66.0.0/16 dev v1
                ip route replace 198.51.100.0/24 via 10.8.0.77 dev v1 onlink");
            let dump = dump();
            for to in TO.into_iter().chain(["198.51.100.7"]) {
                let addresses = || sh("ip -br addr; ip route; ip -6 route");
                assert_eq!(worked_out(&dump, to), kernel(to), "{to}: {}", addresses());
                compared += usize::from(kernel(to).is_some());
            }
        }
        assert!(compared > 150 && deprecated > 20, "{compared} {deprecated}");
    });
}
