//! What a host of a lab is: a machine of its own, as far as its programs can tell, which leaves
//! the real one alone.

mod common {
    pub(crate) mod live;
    pub(crate) mod process;
    pub(crate) mod snapshot;
    pub(crate) mod wait;
    pub(crate) mod world;
}

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::thread;
use std::time::Duration;

use common::live::{build, host, shell};
use common::snapshot::Snapshot;
use common::wait::await_that;
use common::world::{World, inside};
use fps_netns::{Namespace, sysctl};

/// How long a machine that is busy may take to start a program.
const STARTING: Duration = Duration::from_secs(10);

/// How long the kernel may take to clear a lab away.
const CLEARING: Duration = Duration::from_secs(5);

/// A laptop with one link and a router with two, which alone forwards.
const HOUSE: &str = r#"
title    = "A house"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"
v6 = "fd00:188::/64"

[net.internet]
v4 = "203.0.113.0/24"

[host.laptop]
link.wlan0 = { net = "home", ip = ["192.168.188.112", "fd00:188::112"] }

[host.router]
forward   = true
link.lan0 = { net = "home", ip = ["192.168.188.1", "fd00:188::1"] }
link.wan0 = { net = "internet", ip = "203.0.113.1" }

[[step]]
expect = [ { reach = { from = "laptop", to = "router:lan0" } } ]
"#;

/// Runs a test as its world's only occupant.
fn alone(test: &str, body: impl AsyncFnOnce(&World)) {
    inside(test, |world| {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime")
            .block_on(body(world));
    });
}

#[test]
fn a_host_has_a_name_of_its_own() {
    alone("a_host_has_a_name_of_its_own", async |world| {
        let machine = || fs::read_to_string("/proc/sys/kernel/hostname").expect("a name");
        let before = machine();
        let lab = build(world.program(), HOUSE).await;
        let names = "cat /proc/sys/kernel/hostname /etc/hostname";
        for name in ["laptop", "router"] {
            assert_eq!(shell(&lab, name, names).await, format!("{name}\n{name}\n"));
        }
        assert_eq!(machine(), before, "the machine has another name");
    });
}

#[test]
fn a_host_knows_the_others_by_name() {
    alone("a_host_knows_the_others_by_name", async |world| {
        let lab = build(world.program(), HOUSE).await;
        let found = shell(&lab, "laptop", "grep ' router$' /etc/hosts").await;
        assert_eq!(
            found,
            "192.168.188.1 router\nfd00:188::1 router\n203.0.113.1 router\n"
        );
    });
}

/// As DHCP clients and resolvers do it.
const REPLACE: &str = r"
cd /etc
echo 'nameserver 192.0.2.53' > resolv.conf.new
mv resolv.conf.new resolv.conf
cat resolv.conf
rm resolv.conf
test ! -e resolv.conf
echo changed > hostname
rm passwd
";

#[test]
fn a_host_may_replace_and_remove_what_is_in_etc() {
    let test = "a_host_may_replace_and_remove_what_is_in_etc";
    alone(test, async |world| {
        let machine = || {
            let about = fs::metadata("/etc/resolv.conf").expect("the machine has one");
            let bytes = fs::read("/etc/resolv.conf").expect("it can be read");
            (bytes, about.ino(), about.mtime(), about.ctime())
        };
        let (before, everything) = (machine(), Snapshot::take());
        let lab = build(world.program(), HOUSE).await;
        let said = shell(&lab, "laptop", REPLACE).await;
        assert_eq!(said, "nameserver 192.0.2.53\n");
        let other = shell(&lab, "router", "cat /etc/resolv.conf; test -e /etc/passwd").await;
        assert_eq!(other, "# this lab has no DNS server\n");
        assert_eq!(machine(), before, "the machine's /etc/resolv.conf changed");
        assert_untouched(&everything);
    });
}

#[test]
fn a_host_asks_the_name_servers_that_it_is_given() {
    alone(
        "a_host_asks_the_name_servers_that_it_is_given",
        async |world| {
            let given = "[host.laptop]\nname-servers = [\"192.168.188.1\", \"fd00:188::1\"]\n";
            let house = HOUSE.replace("[host.laptop]\n", given);
            assert_ne!(house, HOUSE);
            let lab = build(world.program(), &house).await;
            let said = shell(&lab, "laptop", "cat /etc/resolv.conf").await;
            assert_eq!(said, "nameserver 192.168.188.1\nnameserver fd00:188::1\n");
        },
    );
}

#[test]
fn a_host_has_an_empty_run_of_its_own() {
    alone("a_host_has_an_empty_run_of_its_own", async |world| {
        fs::write("/run/of-the-machine", "").expect("a file in /run");
        let lab = build(world.program(), HOUSE).await;
        let list = "ls /run; stat --file-system --format %T /run";
        assert_eq!(shell(&lab, "laptop", list).await, "fps-lab\ntmpfs\n");
        shell(&lab, "laptop", "echo mine > /run/of-the-laptop").await;
        assert_eq!(shell(&lab, "router", list).await, "fps-lab\ntmpfs\n");
        let machine = fs::exists("/run/of-the-laptop").expect("/run can be searched");
        assert!(!machine, "the machine's /run shows the laptop's file");
    });
}

#[test]
fn sysfs_shows_only_the_links_of_the_host() {
    alone("sysfs_shows_only_the_links_of_the_host", async |world| {
        let lab = build(world.program(), HOUSE).await;
        let list = "ls /sys/class/net";
        assert_eq!(shell(&lab, "laptop", list).await, "lo\nwlan0\n");
        assert_eq!(shell(&lab, "router", list).await, "lan0\nlo\nwan0\n");
    });
}

#[test]
fn a_host_sees_no_process_of_the_machine() {
    alone("a_host_sees_no_process_of_the_machine", async |world| {
        let lab = build(world.program(), HOUSE).await;
        let list = "cd /proc; for p in [0-9]*; do cat $p/comm 2>/dev/null || true; done";
        let said = shell(&lab, "laptop", list).await;
        let mut seen: Vec<&str> = said.lines().collect();
        seen.sort_unstable();
        seen.dedup();
        // The helper, and what lists.
        let ours = ["cat", "fps-lab", "sh"];
        let strangers: Vec<_> = seen.iter().filter(|name| !ours.contains(name)).collect();
        assert!(strangers.is_empty(), "{strangers:?} of {seen:?}");
        // The control.
        assert!(
            seen.contains(&"sh"),
            "the list shows not even itself: {seen:?}"
        );
    });
}

#[test]
fn every_host_starts_from_the_same_sysctls() {
    alone("every_host_starts_from_the_same_sysctls", async |world| {
        let lab = build(world.program(), HOUSE).await;
        let keys: Vec<&str> = sysctl::BASELINE.iter().map(|(key, _)| *key).collect();
        let read = format!("cd /proc/sys; tail -n 1 -q {}", keys.join(" "));
        let said = shell(&lab, "laptop", &read).await;
        let wanted: Vec<&str> = sysctl::BASELINE.iter().map(|(_, value)| *value).collect();
        let differ: Vec<_> = keys
            .iter()
            .zip(said.lines().zip(&wanted))
            .filter(|(_, (is, wanted))| is != *wanted)
            .collect();
        assert_eq!(said.lines().count(), keys.len(), "{said}");
        assert!(differ.is_empty(), "(key, (is, wanted)): {differ:?}");

        // The control: a namespace that nobody has prepared is another.
        let raw = Namespace::create().expect("a namespace");
        let same = |(key, value): &(&str, &str)| {
            let is = raw.within(|| sysctl::read(key)).expect("enter it");
            is.expect("the kernel has it") == *value
        };
        assert!(
            !sysctl::BASELINE.iter().all(same),
            "the baseline does nothing"
        );
    });
}

#[test]
fn only_who_is_asked_to_forwards() {
    alone("only_who_is_asked_to_forwards", async |world| {
        let lab = build(world.program(), HOUSE).await;
        let keys = "cd /proc/sys/net; cat ipv4/ip_forward ipv6/conf/all/forwarding";
        assert_eq!(shell(&lab, "laptop", keys).await, "0\n0\n");
        assert_eq!(shell(&lab, "router", keys).await, "1\n1\n");
        let each = "cd /proc/sys/net; cat ipv4/conf/l*0/forwarding ipv6/conf/l*0/forwarding";
        assert_eq!(shell(&lab, "router", each).await, "1\n1\n");
    });
}

#[test]
fn programs_end_with_the_lab_and_the_machine_is_as_before() {
    let test = "programs_end_with_the_lab_and_the_machine_is_as_before";
    alone(test, async |world| {
        let before = Snapshot::take();
        let lab = build(world.program(), HOUSE).await;
        assert_untouched(&before);
        // In a session of its own, with nothing left of its parents.
        let daemon = "setsid sh -c 'sleep 60 & sleep 60' > /dev/null 2>&1 &";
        shell(&lab, "laptop", daemon).await;
        // The shell that has started it does not wait for it.
        await_that(STARTING, "the daemon sleeps", || {
            let started = before.difference(&Snapshot::take());
            started.matches("sleep 60").count() >= 2
        });
        assert_untouched(&before);
        assert_eq!(host(&lab, "laptop").links().count(), 1);
        drop(lab);
        let ended = thread::scope(|scope| {
            let wait = scope.spawn(|| world.await_end_of_all(CLEARING));
            wait.join().expect("it does not panic")
        });
        let difference = before.difference(&Snapshot::take());
        assert!(ended && difference.is_empty(), "left:\n{difference}");
    });
}

/// Fails unless all is as before but for processes and their namespaces.
#[track_caller]
fn assert_untouched(before: &Snapshot) {
    let difference = before.difference(&Snapshot::take());
    let lasting: Vec<&str> = difference
        .lines()
        .filter(|line| {
            !["+ process", "+ namespace"]
                .iter()
                .any(|kind| line.starts_with(kind))
        })
        .collect();
    assert!(lasting.is_empty(), "on the machine: {lasting:#?}");
}
