//! A customer's host that has systemd-resolved, collected, imported and played again, is told the same.
//!
//! Ignored unless it is asked for, since not every machine has systemd-resolved; `ci/resolvers` fetches
//! that and runs it.

mod common {
    pub(crate) mod round_trip;
}

use common::round_trip::{Trip, changes};
use rstest::rstest;

const LAB: &str = r#"
title    = "A customer's host with systemd-resolved"
sabotage = []
why      = "a test of collect and import"
needs    = ["ip"]

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[net.vpn]
v4 = "10.8.0.0/24"

[host.customer]
resolver     = "systemd-resolved"
name-servers = "192.168.188.1"
link.wlan0   = { net = "home", ip = ["192.168.188.112", "fd00:188::112"] }
link.wg0     = { net = "vpn", ip = "10.8.0.2" }
files."/run/systemd/resolved.conf.d/own.conf" = "[Resolve]\nGLOBAL\n"

[host.router]
link.lan = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }

[[step]]
name = "the customer's doing"
do   = [
  { run = { on = "customer", command = ["sh", "-exc", '''SCRIPT'''] } },
]
"#;

const VPN: &str = "resolvectl dns wg0 10.8.0.1 10.8.0.3:5353#dns.corp.example
    resolvectl domain wg0 corp.example ~intern.example";

fn lab(global: &str, script: &str) -> String {
    let lab = LAB.replace("SCRIPT", script);
    lab.replace("GLOBAL", &global.replace('\n', "\\n"))
}

#[rstest]
#[case::as_it_is("", "true")]
#[case::a_vpn("", VPN)]
#[case::a_vpn_for_all_names(
    "",
    "resolvectl dns wg0 fd08::53
    resolvectl domain wg0 ~.
    resolvectl default-route wg0 yes
    resolvectl default-route wlan0 no"
)]
#[case::global(
    "DNS=192.168.188.7\nDomains=lan.example ~home.arpa\nDNSSEC=allow-downgrade",
    VPN
)]
#[case::multicast(
    "LLMNR=yes\nMulticastDNS=yes\nDNSOverTLS=opportunistic",
    "resolvectl llmnr wlan0 resolve
     resolvectl mdns wlan0 no
     resolvectl dnsovertls wlan0 no
     resolvectl dnssec wg0 yes
     resolvectl dns wg0 10.8.0.1"
)]
#[case::the_servers_themselves("", "ln -sfn /run/systemd/resolve/resolv.conf /etc/resolv.conf")]
#[case::a_file_of_its_own(
    "",
    "rm /etc/resolv.conf
    printf 'search corp.example\nnameserver 10.8.0.1\n' >/etc/resolv.conf"
)]
#[case::no_file("", "rm /etc/resolv.conf")]
#[ignore = "needs systemd-resolved; ci/resolvers runs it"]
fn is_told_the_same(#[case] global: &str, #[case] script: &str) {
    let trip = Trip::make(&lab(global, script));
    let text = &trip.scenario;
    assert!(text.contains("resolver = \"systemd-resolved\""), "{text}");
    let after = trip.after();
    let is_told = |line: &String| line.starts_with("dns wlan0 192.168.188.1");
    assert!(after.resolver.resolved.iter().any(is_told), "{text}");
    let changes = changes(&trip.before, &after);
    assert_eq!(changes, <[String; 0]>::default(), "{text}");
}

/// The positive control: what is not told, the comparison tells.
#[rstest]
#[case::servers("\"dns\"", "resolvectl dns wg0 10.8.0.1")]
#[case::domains("\"domain\"", "resolvectl domain wg0 corp.example")]
#[case::default_route("\"default-route\"", "resolvectl default-route wg0 yes")]
#[case::mode("\"dnssec\"", "resolvectl dnssec wlan0 yes")]
#[ignore = "needs systemd-resolved; ci/resolvers runs it"]
fn tells_what_is_not_told(#[case] command: &str, #[case] told: &str) {
    let script = format!("{VPN}\n resolvectl default-route wg0 yes\n resolvectl dnssec wlan0 yes");
    let mut trip = Trip::make(&lab("", &script));
    trip.drop_acts(command);
    let changes = changes(&trip.before, &trip.after());
    let is_it = |line: &String| line.contains(told);
    assert!(changes.iter().any(is_it), "{changes:?}");
}
