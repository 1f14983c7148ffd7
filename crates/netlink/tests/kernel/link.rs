//! Links.

use std::os::fd::AsFd;

use fps_netlink::VethPair;
use fps_netns::Namespace;
use fps_netns::testing::with_namespaces;

use crate::host::{Host, name};

#[test]
fn a_link_is_made_changed_and_deleted() {
    with_namespaces("link::a_link_is_made_changed_and_deleted", async || {
        let (host, other) = (Host::new().await, Namespace::create().unwrap());
        let netlink = &host.netlink;
        let pair = VethPair {
            port: &name("port0"),
            bridge: host.br0,
            peer: &name("eth0"),
            namespace: other.as_fd(),
        };
        netlink.create_veth(pair).await.unwrap();
        let names: Vec<_> = netlink.links().await.unwrap();
        let names: Vec<_> = names.iter().map(|link| link.name.as_str()).collect();
        assert_eq!(names, ["lo", "br0", "port0"]);

        let port = netlink.link(&name("port0")).await.unwrap().unwrap();
        assert_eq!((port.up, port.mtu), (true, 1500));
        assert_eq!(port.master, Some(host.br0));
        netlink.set_mtu(port.index, 1280).await.unwrap();
        netlink.set_down(port.index).await.unwrap();
        netlink.rename(port.index, &name("renamed")).await.unwrap();
        assert_eq!(netlink.link(&name("port0")).await.unwrap(), None);
        let port = netlink.link(&name("renamed")).await.unwrap().unwrap();
        netlink.rename(port.index, &name("port0")).await.unwrap();
        let port = netlink.link_by_index(port.index).await.unwrap().unwrap();
        assert_eq!((port.up, port.carrier, port.mtu), (false, false, 1280));

        netlink.delete_link(port.index).await.unwrap();
        assert_eq!(netlink.link(&name("port0")).await.unwrap(), None);
        assert_eq!(netlink.link_by_index(port.index).await.unwrap(), None);
    });
}
