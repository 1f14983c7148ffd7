//! What a customer has collected: whatever is in the archive, an import ends with an error or with a
//! scenario that the lab takes, with the customer's addresses and with others.
//!
//! Input: one byte, and an archive; or that of a file of a good collection, and what is in its place,
//! again and again.

use std::path::Path;

use fps_lab::dump::{Dump, Files};
use fps_lab::import::{Options, anonymise, scenario};
use fps_lab::scenario::parse;

use crate::input::{Input, put};
use crate::seed::Seed;

/// A good collection.
const FILES: [(&str, &str); 12] = [
    ("about.txt", "fps-lab-collect 1\n"),
    (
        "addr.json",
        r#"[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host"}]},{"ifindex":2,"ifname":"eth0","flags":["UP","LOWER_UP"],"mtu":1400,"addr_info":[{"family":"inet","local":"192.168.1.5","prefixlen":24,"broadcast":"192.168.1.255","scope":"global","label":"eth0"},{"family":"inet6","local":"fe80::5","prefixlen":64,"scope":"link"}]},{"ifindex":3,"ifname":"wg0","flags":["POINTOPOINT","NOARP","UP","LOWER_UP"],"linkinfo":{"info_kind":"wireguard"},"addr_info":[{"family":"inet","local":"10.8.0.2","prefixlen":32,"scope":"global"}]}]"#,
    ),
    (
        "route4.json",
        r#"[{"dst":"default","gateway":"192.168.1.1","dev":"eth0","protocol":"dhcp","metric":600,"flags":[]},{"type":"unreachable","dst":"10.0.0.0/8","table":"vpn"},{"dst":"10.2.0.0/16","nexthops":[{"gateway":"192.168.1.1","dev":"eth0","weight":1},{"dev":"wg0","weight":2}]},{"dst":"10.3.0.0/16","via":{"family":"inet6","host":"fe80::1"},"dev":"eth0","metrics":[{"mtu":1300}]}]"#,
    ),
    (
        "route6.json",
        r#"[{"dst":"default","gateway":"fe80::1","dev":"eth0","protocol":"ra","metric":600,"pref":"high"}]"#,
    ),
    (
        "rule4.json",
        r#"[{"priority":0,"src":"all","table":"local"},{"priority":9,"not":null,"src":"10.0.0.0","srclen":8,"fwmark":"0x1","fwmask":"0xff","iif":"wg0","uid_start":1,"uid_end":5,"ipproto":"tcp","dport":10,"table":"77","suppress_prefixlen":0},{"priority":10,"src":"all","goto":20}]"#,
    ),
    (
        "rule6.json",
        r#"[{"priority":0,"src":"all","table":"local"}]"#,
    ),
    ("tables.txt", "200 vpn\n"),
    (
        "nft.txt",
        "table ip t {\n\tchain c {\n\t\tip saddr 10.0.0.0/8 drop\n\t}\n}\n",
    ),
    (
        "sysctl.txt",
        "net.ipv4.ip_forward = 1\nnet.ipv4.conf.eth0.rp_filter = 2\n",
    ),
    ("resolv.conf", "search corp.example\nnameserver 9.9.9.9\n"),
    ("resolv.link", "../run/systemd/resolve/stub-resolv.conf\n"),
    (
        "resolvectl.txt",
        "Link 2 (eth0)\n  DNS Servers: 192.168.1.1\n  DNS Domain: ~.\n",
    ),
];

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    if input.byte().is_multiple_of(2) {
        return Dump::unpack(input.rest()).is_ok_and(|dump| import(&dump));
    }
    let mut files = Files::default();
    for (name, text) in FILES {
        files.insert(name, text);
    }
    while !input.is_empty() {
        let (name, _) = FILES[usize::from(input.byte()) % FILES.len()];
        files.insert(name, String::from_utf8_lossy(input.some()));
    }
    Dump::read(&files).is_ok_and(|dump| import(&dump))
}

fn import(dump: &Dump) -> bool {
    let mut options = Options {
        host: "customer".to_owned(),
        source: "report.tar.gz".to_owned(),
        runs_resolved: false,
    };
    for dump in [dump, &anonymise(dump, [7; 16])] {
        options.runs_resolved = !options.runs_resolved;
        let text = scenario(dump, &options);
        if let Err(error) = parse(Path::new("import.toml"), &text) {
            panic!("{error}\n{text}");
        }
    }
    true
}

/// The collection, each of its files as it is, and cut off.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = vec![Seed::deep([1]), Seed::any([0, 0x1f, 0x8b])];
    for (at, (_, text)) in (0_u8..).zip(FILES) {
        let whole = [&[1, at][..], &put(text.as_bytes())].concat();
        let cut = [&[1, at][..], &put(&text.as_bytes()[..text.len() / 2])].concat();
        seeds.extend([Seed::deep(whole), Seed::any(cut)]);
    }
    seeds
}
