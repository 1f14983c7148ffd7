//! What is found in the anonymous tables is what was found in the customer's.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use fps_netlink::{Family, Flow, Verdict};
use ipnet::IpNet;
use proptest::prelude::*;

use super::*;
use crate::dump::Files;
use crate::explain::Tables;

/// Addresses of every kind: private, shared, link-local, of documentation, public.
fn v4() -> impl Strategy<Value = IpAddr> {
    let starts = prop_oneof![
        Just(0x0a00_0000u32),
        Just(0xac10_0000),
        Just(0xc0a8_0000),
        Just(0x6440_0000),
        Just(0xcb00_7100),
        Just(0x0808_0000),
        Just(0x5db8_0000),
        any::<u32>(),
    ];
    (starts, any::<u32>()).prop_map(|(start, low)| Ipv4Addr::from(start ^ (low & 0xffff)).into())
}

fn v6() -> impl Strategy<Value = IpAddr> {
    let starts = prop_oneof![
        Just(0xfd00_0000u128 << 96),
        Just(0x2001_0db8u128 << 96),
        Just(0x2a02_1234u128 << 96),
        Just(0x2600_0000u128 << 96),
    ];
    (starts, any::<u64>(), any::<u8>(), any::<bool>()).prop_map(|(start, high, low, plain)| {
        let id = if plain {
            u128::from(low)
        } else {
            u128::from(high)
        };
        Ipv6Addr::from(start | (u128::from(high & 0xff_ffff) << 64) | id).into()
    })
}

fn net(ip: impl Strategy<Value = IpAddr>) -> impl Strategy<Value = IpNet> {
    (ip, 0u8..=128).prop_map(|(ip, length)| {
        let most = if ip.is_ipv4() { 32 } else { 128 };
        IpNet::new(ip, length % (most + 1))
            .expect("at most all bits")
            .trunc()
    })
}

/// A host with these routes, a table each second, and rules for some of its networks.
fn dump(family: Family, routes: &[IpNet], rules: &[(IpNet, IpNet)]) -> Dump {
    let four = family == Family::V4;
    let routes: Vec<String> = routes
        .iter()
        .enumerate()
        .map(|(at, to)| {
            let table = if at % 2 == 0 { "main" } else { "100" };
            format!("{{\"dst\":\"{to}\",\"dev\":\"eth0\",\"table\":\"{table}\",\"metric\":{at}}}")
        })
        .collect();
    let rules: Vec<String> = rules
        .iter()
        .enumerate()
        .map(|(at, (from, to))| {
            format!(
                "{{\"priority\":{at},\"src\":\"{}\",\"srclen\":{},\"dst\":\"{}\",\"dstlen\":{},\"table\":\"100\"}}",
                from.addr(), from.prefix_len(), to.addr(), to.prefix_len()
            )
        })
        .chain(["{\"priority\":32766,\"src\":\"all\",\"table\":\"main\"}".to_owned()])
        .collect();
    let list = |items: &[String], ours: bool| match ours {
        true => format!("[{}]", items.join(",")),
        false => "[]".to_owned(),
    };
    let mut files = Files::default();
    let link =
        "[{\"ifindex\":2,\"ifname\":\"eth0\",\"flags\":[\"UP\",\"LOWER_UP\"],\"addr_info\":[]}]";
    files.insert("addr.json", link);
    files.insert("route4.json", list(&routes, four));
    files.insert("rule4.json", list(&rules, four));
    files.insert("route6.json", list(&routes, !four));
    files.insert("rule6.json", list(&rules, !four));
    Dump::read(&files).expect("a dump")
}

/// The places of the rule and the route that decide.
fn decided(tables: &Tables, flow: &Flow) -> (Option<usize>, Option<usize>) {
    let verdict = tables.fib().lookup(flow);
    let rule = verdict.rule();
    let route = match verdict {
        Verdict::Leaves { route, .. } => Some(route),
        Verdict::Refused { route, .. } => route,
        _ => None,
    };
    let rule = rule.and_then(|it| {
        tables
            .rules
            .iter()
            .position(|other| std::ptr::eq(it, other))
    });
    let route = route.and_then(|it| {
        tables
            .routes
            .iter()
            .position(|other| std::ptr::eq(it, other))
    });
    (rule, route)
}

fn same(before: &Dump, key: [u8; 16], asked: &[(IpAddr, IpAddr)]) -> Result<(), TestCaseError> {
    let after = anonymise(before, key);
    let addresses = Addresses::new(key, &nets(before), &BTreeSet::new());
    for (from, to) in asked {
        let family = Family::of(*to);
        let flow = Flow::to(*to).sent_from(*from);
        let new = Flow::to(addresses.ip(*to)).sent_from(addresses.ip(*from));
        let found = decided(&before.tables(family), &flow);
        prop_assert_eq!(
            found,
            decided(&after.tables(family), &new),
            "{} is {}",
            to,
            new.to
        );
    }
    Ok(())
}

/// Addresses to ask about: any, and those that subnets begin with.
fn asked(any: Vec<IpAddr>, nets: &[IpNet]) -> Vec<(IpAddr, IpAddr)> {
    let starts = nets.iter().map(IpNet::addr);
    let all: Vec<IpAddr> = any.into_iter().chain(starts).collect();
    let sources = all.iter().rev().copied();
    let pairs: Vec<_> = sources.zip(all.iter().copied()).collect();
    pairs
}

proptest! {
    #[test]
    fn each_lookup_of_ipv4_finds_what_it_found(
        routes in prop::collection::vec(net(v4()), 1..12),
        rules in prop::collection::vec((net(v4()), net(v4())), 0..4),
        any in prop::collection::vec(v4(), 8),
        key in any::<[u8; 16]>(),
    ) {
        let before = dump(Family::V4, &routes, &rules);
        same(&before, key, &asked(any, &routes))?;
    }

    #[test]
    fn each_lookup_of_ipv6_finds_what_it_found(
        routes in prop::collection::vec(net(v6()), 1..12),
        rules in prop::collection::vec((net(v6()), net(v6())), 0..4),
        any in prop::collection::vec(v6(), 8),
        key in any::<[u8; 16]>(),
    ) {
        let before = dump(Family::V6, &routes, &rules);
        same(&before, key, &asked(any, &routes))?;
    }
}

#[test]
fn public_addresses_go_to_ranges_that_are_nobodys() {
    let nets = [
        "93.184.216.0/24",
        "8.8.8.8/32",
        "2a02:1234:5::/48",
        "10.1.0.0/16",
    ];
    let nets = nets.map(|net| net.parse().expect("a subnet"));
    let addresses = Addresses::new([7; 16], &nets, &BTreeSet::new());
    assert!(addresses.fits());
    let new = |text: &str| addresses.ip(text.parse().expect("an address"));
    let of = |text: &str| text.parse::<IpNet>().expect("a subnet");
    assert!(of("198.18.0.0/15").contains(&new("93.184.216.34")));
    assert!(of("198.18.0.0/15").contains(&new("8.8.8.8")));
    assert!(of("2001:db8::/32").contains(&new("2a02:1234:5::1")));
    assert!(of("10.0.0.0/8").contains(&new("10.1.2.3")));
    assert!(new("10.1.2.3").to_string().ends_with(".3"));
}

#[test]
fn nothing_of_the_customer_is_left() {
    let mut files = Files::default();
    files.insert("addr.json", "[{\"ifindex\":2,\"ifname\":\"acme-hq\",\"flags\":[\"UP\"],\"linkinfo\":{\"info_kind\":\"wireguard\"},\"addr_info\":[{\"family\":\"inet\",\"local\":\"10.77.1.2\",\"prefixlen\":24}]}]");
    files.insert(
        "route4.json",
        "[{\"dst\":\"93.184.216.0/24\",\"dev\":\"acme-hq\",\"secret\":\"93.184.216.9\"}]",
    );
    files.insert(
        "rule4.json",
        "[{\"priority\":5,\"src\":\"all\",\"iif\":\"acme-hq\",\"table\":\"main\"}]",
    );
    files.insert("sysctl.txt", "net.ipv4.conf.acme-hq.rp_filter = 1\n");
    files.insert(
        "resolv.conf",
        "# of acme\nsearch hq.acme.com acme.com\nnameserver 93.184.216.53\n",
    );
    files.insert("nft.txt", "table ip acme-t {\n chain acme-c {\n  ip saddr @acme-s jump acme-d\n  oifname \"acme-hq\" ip daddr 93.184.216.7 drop comment \"acme\"\n }\n set acme-s {\n\t\ttype ipv4_addr\n\t\tcomment \"acme Berlin\"\n\t\telements = { 192.0.2.1 comment \"acme a\", 192.0.2.2 comment \"acme b\" }\n }\n chain acme-d {\n  log prefix \"acme drop: \" level warn drop\n }\n}\n");
    files.insert(
        "resolvectl.txt",
        "Link 2 (acme-hq)\n  DNS Servers: 93.184.216.53\n  DNS Domain: hq.acme.com\n",
    );
    let before = Dump::read(&files).expect("a dump");
    let text = |dump: &Dump| format!("{dump:?}");
    for sign in ["acme", "93.184", "10.77"] {
        assert!(text(&before).contains(sign), "{sign}");
        let after = text(&anonymise(&before, [3; 16]));
        assert!(!after.contains(sign), "{sign}: {after}");
    }
    let after = anonymise(&before, [3; 16]);
    let conf = after.resolver.resolv_conf.unwrap_or_default();
    assert!(
        conf.starts_with("search name4.name1.name2.example name1.name2.example\n")
            || conf.starts_with("search name1.name2.name3.example name2.name3.example\n"),
        "{conf}"
    );
}

#[test]
fn two_domains_stay_two_and_what_is_below_one_is_below_it_still() {
    let domains = words::Domains::default();
    let addresses = Addresses::new([7; 16], &[], &BTreeSet::new());
    let name = |text: &str| domains.name(text, &addresses);
    assert_eq!(name("acme.com"), "name1.name2.example");
    assert_eq!(name("acme.de."), "name1.name3.example");
    assert_eq!(name("~com"), "~name2.example");
    assert_eq!(name("printer.ACME.com"), "name4.name1.name2.example");
    // Whose domain it is says how it is looked up (RFC 6762, RFC 8375).
    for common in ["local", "home.arpa", "10.in-addr.arpa", "~.", "b.arpa"] {
        assert_eq!(name(common), common);
    }
    assert_eq!(name("printer.local"), "name4.local");
    assert_eq!(name("printer.home.arpa"), "name4.home.arpa");
}

#[test]
fn a_name_out_of_a_hardware_address_tells_more_than_its_kind() {
    for name in ["wlp3s0", "eth0", "enp0s31f6", "wg0"] {
        assert!(super::tells(name), "{name}");
    }
    for name in [
        "enx001122334455",
        "wlx001122334455",
        "wwx001122334455",
        "acme0",
    ] {
        assert!(!super::tells(name), "{name}");
    }
}

#[test]
fn a_reverse_zone_is_that_of_the_subnet_in_the_place_of_its_own() {
    let addresses = Addresses::new([7; 16], &[], &BTreeSet::new());
    let name = |text: &str| words::Domains::default().name(text, &addresses);
    let place = addresses.net("10.77.1.0/24".parse().expect("a subnet"));
    assert_ne!(place.to_string(), "10.77.1.0/24");
    assert_eq!(name("1.77.10.in-addr.arpa"), reverse::name(place));
    assert_eq!(
        name("~1.77.10.in-addr.arpa."),
        format!("~{}", reverse::name(place))
    );
    let zone = "1.0.0.0.7.7.d.f.ip6.arpa";
    assert_ne!(name(zone), zone);
    assert!(name(zone).ends_with(".d.f.ip6.arpa"), "{}", name(zone));
}

#[test]
fn an_address_of_ipv4_in_one_of_ipv6_is_the_one_in_its_place() {
    let nets = ["64:ff9b::5db8:d822/128".parse().expect("a subnet")];
    let all: Vec<IpNet> = nets.into_iter().chain(bits::embedded(nets[0])).collect();
    let addresses = Addresses::new([7; 16], &all, &BTreeSet::new());
    let new = |text: &str| addresses.ip(text.parse().expect("an address"));
    for inside in ["93.184.216.34", "10.77.1.2", "192.0.2.7", "8.8.8.8"] {
        let IpAddr::V4(there) = new(inside) else {
            panic!("it is of IPv4");
        };
        for prefix in ["64:ff9b::", "::ffff:"] {
            let whole = new(&format!("{prefix}{inside}"));
            let wanted: IpAddr = format!("{prefix}{there}").parse().expect("an address");
            assert_eq!(whole, wanted);
        }
    }
    assert!(!new("64:ff9b::93.184.216.34").to_string().contains("5db8"));
    assert_eq!(
        addresses
            .net("64:ff9b::/96".parse().expect("a subnet"))
            .to_string(),
        "64:ff9b::/96"
    );
}

/// What a firewall's text is about, address by address, is what it was about.
#[test]
fn ranges_of_a_firewall_have_the_addresses_in_the_place_of_their_own() {
    for (text, listed) in [
        ("ip daddr 10.77.1.5-10.77.1.9 drop", "ip daddr "),
        ("ip daddr 10.77.1.5-10.77.9.9 drop", "ip daddr "),
        ("ip saddr != 93.184.216.5-93.184.219.9 drop", "ip saddr != "),
        (
            "elements = { 10.77.1.5-10.77.9.9, 10.78.0.0/16,",
            "elements = { ",
        ),
        ("\t\t     10.77.1.5-10.77.9.9 }", "\t\t     "),
        (
            "ip6 daddr fd77:1::-fd77:3:ffff:ffff:ffff:ffff:ffff:ffff drop",
            "ip6 daddr ",
        ),
    ] {
        for key in 0..20 {
            let before = words::nets(text);
            let addresses = Addresses::new([key; 16], &[], &before);
            let replaced = words::text(text, &addresses);
            assert_eq!(replaced.inexact, <[String; 0]>::default(), "{text}");
            assert!(replaced.text.starts_with(listed), "{}", replaced.text);
            let sorted = |nets: BTreeSet<IpNet>| IpNet::aggregate(&Vec::from_iter(nets));
            let wanted = before.iter().map(|net| addresses.net(*net)).collect();
            assert_eq!(
                sorted(words::nets(&replaced.text)),
                sorted(wanted),
                "{text}"
            );
        }
    }
}

/// Where nothing but a range can stand, its ends are in order, and it is said that it is another one.
#[test]
fn a_range_that_cannot_be_a_list_is_told() {
    let mut told = 0;
    for key in 0..20 {
        for text in [
            "dnat ip to 10.77.1.5-10.77.9.9",
            "dnat ip to 10.77.1.5-10.77.9.9:8080",
            "dnat ip to 10.77.1.5-10.77.9.9:1000-2000",
            "dnat ip6 to [fd77:1::5]-[fd77:2::1]:80",
            "10.77.1.5-10.77.9.9 . 443, ",
            "10.77.1.5-10.77.9.9 : accept, ",
        ] {
            let addresses = Addresses::new([key; 16], &[], &BTreeSet::new());
            let replaced = words::text(text, &addresses);
            let bare = replaced.text.replace("]-[", "-").replace(['[', ']'], " ");
            let mut words = bare.split(' ');
            let range = words.find(|word| word.contains('-')).and_then(range::parse);
            assert!(range.is_some(), "{}", replaced.text);
            for port in [":8080", ":1000-2000", "]:80"] {
                assert_eq!(replaced.text.ends_with(port), text.ends_with(port));
            }
            told += replaced.inexact.len();
        }
    }
    assert!(told > 20, "{told}");
}

#[test]
fn two_addresses_of_a_firewall_stay_two() {
    let mut before = dump(Family::V4, &[], &[]);
    before.nft = "ip daddr 93.184.216.7 accept\nip daddr 151.101.1.7 drop\nip6 daddr 2a02:1234::7 accept\nip6 daddr 2a04:4e42::7 drop\n".to_owned();
    let after = anonymise(&before, [3; 16]);
    let nets = words::nets(&after.nft);
    assert_eq!(nets.len(), 4, "{nets:?}");
}

/// A list of what nobody has has no room in the ranges for documentation, and the host's own has.
#[test]
fn a_list_of_bogons_in_the_firewall_does_not_spoil_the_rest() {
    let mut before = dump(
        Family::V4,
        &["93.184.216.0/24".parse().expect("a subnet")],
        &[],
    );
    before.nft =
        "ip saddr { 198.18.0.0/15, 192.0.0.0/22, 1.0.0.0-9.255.255.255 } drop\n".to_owned();
    let after = anonymise(&before, [3; 16]);
    let to = after.routes[0].route.to;
    let doc: IpNet = "198.18.0.0/15".parse().expect("a subnet");
    assert!(doc.contains(&to), "{to}");
    let told = |dump: &Dump| {
        dump.remarks
            .lines()
            .any(|it| it.contains("large public subnets"))
    };
    assert!(told(&after) && !told(&before));
}

#[test]
fn labels_before_a_reverse_zone_are_others() {
    let addresses = Addresses::new([7; 16], &[], &BTreeSet::new());
    let name = |text: &str| words::Domains::default().name(text, &addresses);
    let zone = name("1.77.10.in-addr.arpa");
    assert_eq!(
        name("b._dns-sd._udp.1.77.10.in-addr.arpa"),
        format!("name1.name2.name3.{zone}")
    );
    assert_eq!(name("64-26.1.77.10.in-addr.arpa"), format!("name1.{zone}"));
    // Usually private addresses are meant, which keep their first byte.
    for zone in ["172.in-addr.arpa", "192.in-addr.arpa", "in-addr.arpa"] {
        assert_eq!(name(zone), zone);
    }
}
