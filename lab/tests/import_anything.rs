//! Whatever an archive holds, an import ends with an error or with a valid scenario.

use std::path::Path;

use fps_lab::dump::{Dump, Files};
use fps_lab::import::{Options, anonymise, scenario};
use fps_lab::scenario::parse;
use proptest::prelude::*;
use serde_json::{Value, json};

/// A good dump, which the mistakes are put into.
fn files() -> Vec<(&'static str, String)> {
    let addr = json!([
        { "ifindex": 1, "ifname": "lo", "flags": ["LOOPBACK", "UP", "LOWER_UP"], "mtu": 65536, "addr_info": [
            { "family": "inet", "local": "127.0.0.1", "prefixlen": 8, "scope": "host", "label": "lo" },
            { "family": "inet", "local": "10.9.9.9", "prefixlen": 32, "scope": "global", "label": "lo" } ] },
        { "ifindex": 2, "ifname": "wlan0", "flags": ["UP", "LOWER_UP"], "mtu": 1500, "addr_info": [
            { "family": "inet", "local": "192.168.1.5", "prefixlen": 24, "broadcast": "192.168.1.255", "scope": "global", "noprefixroute": true, "label": "wlan0" },
            { "family": "inet6", "local": "2a02:1::5", "prefixlen": 64, "scope": "global" },
            { "family": "inet6", "local": "fe80::5", "prefixlen": 64, "scope": "link" } ] },
        { "ifindex": 3, "ifname": "wg0", "flags": ["POINTOPOINT", "NOARP", "UP", "LOWER_UP"], "mtu": 1420,
          "linkinfo": { "info_kind": "wireguard" }, "addr_info": [
            { "family": "inet", "local": "10.8.0.2", "prefixlen": 32, "scope": "global", "label": "wg0" } ] },
        { "ifindex": 4, "ifname": "eth0.10", "flags": ["UP"], "mtu": 1500, "master": "wlan0", "addr_info": [] },
    ]);
    let route4 = json!([
        { "dst": "default", "gateway": "192.168.1.1", "dev": "wlan0", "protocol": "dhcp", "metric": 600, "flags": [] },
        { "dst": "192.168.1.0/24", "dev": "wlan0", "protocol": "kernel", "scope": "link", "prefsrc": "192.168.1.5", "metric": 600, "flags": [] },
        { "type": "unreachable", "dst": "10.0.0.0/8", "table": "vpn", "flags": [] },
        { "dst": "10.1.0.0/16", "dev": "wg0", "table": "51820", "flags": ["onlink"], "metrics": [{ "mtu": 1300 }] },
        { "dst": "10.2.0.0/16", "flags": [], "nexthops": [
            { "gateway": "192.168.1.1", "dev": "wlan0", "weight": 1, "flags": [] },
            { "dev": "wg0", "weight": 300, "flags": [] } ] },
        { "dst": "10.3.0.0/16", "via": { "family": "inet6", "host": "fe80::1" }, "dev": "wlan0", "flags": [] },
    ]);
    let route6 = json!([
        { "dst": "default", "gateway": "fe80::1", "dev": "wlan0", "protocol": "ra", "metric": 600, "flags": [], "pref": "high" },
        { "type": "local", "dst": "2a02:1::5", "dev": "wlan0", "table": "local", "protocol": "kernel", "metric": 0, "flags": [] },
    ]);
    let rule4 = json!([
        { "priority": 0, "src": "all", "table": "local" },
        { "priority": 100, "not": null, "src": "10.0.0.0", "srclen": 8, "fwmark": "0x1", "fwmask": "0xff", "iif": "wg0", "uid_start": 1, "uid_end": 5, "ipproto": "tcp", "dport": 10, "table": "77", "suppress_prefixlen": 0 },
        { "priority": 101, "src": "all", "goto": 200 },
        { "priority": 102, "src": "all", "action": "unreachable" },
        { "priority": 32766, "src": "all", "table": "main" },
    ]);
    vec![
        ("about.txt", "fps-lab-collect 1\nip utility\n".to_owned()),
        ("addr.json", addr.to_string()),
        ("route4.json", route4.to_string()),
        ("route6.json", route6.to_string()),
        ("rule4.json", rule4.to_string()),
        ("rule6.json", rule4.to_string()),
        ("tables.txt", "200 vpn\n".to_owned()),
        ("nft.txt", "table inet t {\n\tchain c {\n\t\tip saddr 10.0.0.0/8 drop comment \"x\"\n\t}\n}\n".to_owned()),
        ("sysctl.txt", "net.ipv4.ip_forward = 1\nnet.ipv4.conf.wlan0.rp_filter = 2\nnet.ipv6.conf.eth0/10.disable_ipv6 = 1\n".to_owned()),
        ("resolv.conf", "search corp.example\nnameserver 192.168.1.1\nnameserver 9.9.9.9\nnameserver 10.8.0.1\n".to_owned()),
        ("resolv.link", "../run/systemd/resolve/stub-resolv.conf\n".to_owned()),
        ("resolvectl.txt", "Link 2 (wlan0)\n  DNS Servers: 192.168.1.1\n  DNS Domain: ~.\n".to_owned()),
    ]
}

/// Imports it, with and without other names; a scenario that comes of it is valid.
fn import(files: &[(&str, String)]) -> Option<String> {
    let mut all = Files::default();
    for (name, text) in files {
        all.insert(name, text.clone());
    }
    let dump = match Dump::read(&all) {
        Ok(dump) => dump,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            return None;
        }
    };
    let mut options = Options {
        host: "customer".to_owned(),
        source: "report.tar.gz".to_owned(),
        runs_resolved: false,
    };
    let mut text = None;
    for dump in [anonymise(&dump, [7; 16]), dump] {
        options.runs_resolved = !options.runs_resolved;
        let written = scenario(&dump, &options);
        if let Err(error) = parse(Path::new("import.toml"), &written) {
            panic!("{error}\n{written}");
        }
        text = Some(written);
    }
    text
}

#[test]
fn a_firewall_that_is_not_there_as_text_is_told_of() {
    let mut files = files();
    files.retain(|(name, _)| *name != "nft.txt");
    let json = r#"{"nftables": [{"table": {"family": "inet", "name": "vpn", "handle": 1}}]}"#;
    files.push(("nft.json", json.to_owned()));
    let text = import(&files).expect("it is whole");
    assert!(text.contains("# - the firewall is left out"), "{text}");
}

#[test]
fn a_good_dump_is_imported() {
    let text = import(&files()).expect("it is whole");
    for sign in [
        "protocol = \"dhcp\"",
        "table = 200",
        "[host.gateway]",
        "ruleset = '''",
    ] {
        assert!(text.contains(sign), "{sign}: {text}");
    }
}

/// All values of a document, to be changed one at a time.
fn change(value: &mut Value, place: &mut usize, new: &Value) {
    if *place == 0 {
        *value = new.clone();
        *place = usize::MAX;
        return;
    }
    if *place == usize::MAX {
        return;
    }
    *place -= 1;
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| change(item, place, new)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| change(field, place, new)),
        _ => {}
    }
}

fn odd() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        Just(json!([])),
        Just(json!({})),
        Just(json!([{}])),
        any::<u32>().prop_map(|number| json!(number)),
        any::<i64>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            "",
            "lo",
            "all",
            "default",
            "main",
            "local",
            "0",
            "255",
            "4294967295",
            "0xffffffff",
            "::",
            "::1",
            "0.0.0.0",
            "0.0.0.0/0",
            "::/0",
            "127.0.0.1",
            "224.0.0.1",
            "ff02::1",
            "255.255.255.255",
            "10.0.0.0/31",
            "192.168.1.1/32",
            "192.168.1.0",
            "192.168.1.255",
            "192.168.1.5",
            "fe80::1",
            "fe80::/64",
            "a b",
            "a/b",
            "ä",
            "'''",
            "\"",
            "\u{7f}",
            "a.b.c",
            "wlan0",
            "wg0",
            "eth0.10",
            "unicast",
            "broadcast",
            "link",
            "host",
            "kernel",
            "UP",
            "x\ny",
            "1-2",
            "..",
            "net",
        ])
        .prop_map(|text| json!(text)),
        ".{0,20}".prop_map(|text| json!(text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn a_value_that_is_another_breaks_nothing(
        file in 1usize..6, place in 1usize..120, new in odd(), second in 1usize..120, other in odd(),
    ) {
        let mut files = files();
        let mut value: Value = serde_json::from_str(&files[file].1).expect("JSON");
        change(&mut value, &mut place.clone(), &new);
        change(&mut value, &mut second.clone(), &other);
        files[file].1 = value.to_string();
        import(&files);
    }

    #[test]
    fn a_file_that_ends_early_breaks_nothing(file in 0usize..12, share in 0.0f64..1.0) {
        let mut files = files();
        let text = &mut files[file].1;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place in a short text")]
        let mut end = (text.len() as f64 * share) as usize;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        import(&files);
    }

    #[test]
    fn a_text_of_anything_breaks_nothing(file in 6usize..12, text in "(?s).{0,200}") {
        let mut files = files();
        files[file].1 = text;
        import(&files);
    }

    #[test]
    fn bytes_of_anything_are_no_archive(bytes in prop::collection::vec(any::<u8>(), 0..600), gzip in any::<bool>()) {
        let mut archive = bytes;
        if gzip {
            archive.splice(0..0, [0x1f, 0x8b, 8, 0]);
        }
        prop_assert!(Dump::unpack(&archive).is_err());
    }
}
