//! Two hosts with a cable between them, and who runs there.

use std::process::{Child, Command, Stdio};

use fps_netns::Namespace;

/// Two hosts with a cable between them.
pub(crate) struct Hosts {
    pub(crate) near: Namespace,
    pub(crate) far: Namespace,
}

pub(crate) const NEAR: &str = "192.0.2.2";
pub(crate) const FAR: &str = "192.0.2.1";

pub(crate) fn ip(namespace: &Namespace, line: &str) {
    let mut ip = Command::new("ip");
    let status = namespace.within(|| ip.args(line.split(' ')).status());
    let status = status.expect("enter a namespace").expect("run ip");
    assert!(status.success(), "ip {line}");
}

impl Hosts {
    pub(crate) fn new() -> Self {
        let make = || Namespace::create().expect("root, or a user namespace");
        let hosts = Self {
            near: make(),
            far: make(),
        };
        for host in [&hosts.near, &hosts.far] {
            ip(host, "link set lo up");
        }
        // `ip` takes a namespace by the pid of somebody in it.
        let mut somebody = Command::new("sleep");
        let somebody = somebody.arg("60").stdout(Stdio::null());
        let somebody = hosts.far.within(|| somebody.spawn());
        let somebody = Kill(somebody.expect("enter").expect("run sleep"));
        let line = format!(
            "link add near0 type veth peer name far0 netns {}",
            somebody.0.id()
        );
        ip(&hosts.near, &line);
        drop(somebody);
        for (host, link, address) in [(&hosts.near, "near0", NEAR), (&hosts.far, "far0", FAR)] {
            ip(host, &format!("addr add {address}/24 dev {link}"));
            ip(host, &format!("link set {link} up"));
        }
        hosts
    }
}

/// Killed when it is dropped.
pub(crate) struct Kill(pub(crate) Child);

impl Drop for Kill {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
