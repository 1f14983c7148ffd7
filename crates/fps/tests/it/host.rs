//! A network namespace for the programs of a test.

use std::os::fd::{AsFd, BorrowedFd};

use fps_netlink::{Address, IfIndex, Link, Netlink};
use fps_netns::{Namespace, sysctl};

/// A host with its loopback device up. The programs and sockets of the test are made
/// [`Host::within`].
pub(crate) struct Host {
    namespace: Namespace,
    pub(crate) netlink: Netlink,
}

impl Host {
    pub(crate) async fn new() -> Self {
        let namespace = Namespace::create().expect("inside with_namespaces");
        let netlink = namespace
            .within(Netlink::open)
            .expect("enter the namespace")
            .expect("a netlink socket");
        let loopback = netlink.set_up(IfIndex::LOOPBACK).await;
        loopback.expect("root of the namespace");
        Self { namespace, netlink }
    }

    /// The namespace, held open.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.namespace.as_fd()
    }

    /// Runs `act` on this host; a program that it starts stays there.
    pub(crate) fn within<T>(&self, act: impl FnOnce() -> T) -> T {
        self.namespace.within(act).expect("enter the namespace")
    }

    pub(crate) fn set_sysctl(&self, key: &str, value: &str) {
        let written = self.within(|| sysctl::write(key, value));
        written.expect("root of the namespace");
    }

    /// How many packets the kernel has dropped instead of handing them to the link.
    pub(crate) fn not_sent(&self, name: &str) -> u64 {
        let text = self.within(|| std::fs::read_to_string("/proc/thread-self/net/dev"));
        let text = text.expect("proc is mounted");
        let line = text.lines().find_map(|it| it.trim().strip_prefix(name));
        let line = line.and_then(|it| it.strip_prefix(':'));
        let line = line.unwrap_or_else(|| panic!("there is no link {name}"));
        // Eight of what is received, then bytes, packets, errors, drops.
        let number = line.split_whitespace().nth(11).expect("sixteen numbers");
        number.parse().expect("a number")
    }

    /// A link that must be there.
    pub(crate) async fn link(&self, name: &str) -> Link {
        let found = self.netlink.link(&name.parse().expect("a name")).await;
        let found = found.expect("ask for the link");
        found.unwrap_or_else(|| panic!("there is no link {name}"))
    }

    pub(crate) async fn set_up(&self, name: &str) {
        let index = self.link(name).await.index;
        let done = self.netlink.set_up(index).await;
        done.expect("root of the namespace");
    }

    pub(crate) async fn set_down(&self, name: &str) {
        let index = self.link(name).await.index;
        let done = self.netlink.set_down(index).await;
        done.expect("root of the namespace");
    }

    pub(crate) async fn add_address(&self, name: &str, net: &str) {
        let net = net.parse().expect("an address with a prefix");
        let address = Address::new(self.link(name).await.index, net);
        let done = self.netlink.add_address(&address).await;
        done.expect("root of the namespace");
    }
}
