//! UDP sockets.

use std::net::{IpAddr, SocketAddr, UdpSocket};

use fps_netlink::{Fwmark, IfIndex, IpProtocol, UdpSockets};
use fps_netns::testing::with_namespaces;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::Mark;

use crate::host::Host;

#[test]
fn tells_of_sockets_with_and_without_a_peer_and_their_marks() {
    let name = "udp::tells_of_sockets_with_and_without_a_peer_and_their_marks";
    with_namespaces(name, async || {
        let host = Host::new().await;
        host.netlink.set_up(IfIndex::LOOPBACK).await.unwrap();
        let mut sockets = host.namespace.within(UdpSockets::open).unwrap().unwrap();
        assert_eq!(sockets.read().unwrap(), []);
        for (any, loopback) in [("0.0.0.0:0", "127.0.0.1:0"), ("[::]:0", "[::1]:0")] {
            let bind = |address| move || UdpSocket::bind(address).unwrap();
            let far = host.namespace.within(bind(loopback)).unwrap();
            let near = host.namespace.within(bind(any)).unwrap();
            setsockopt(&near, Mark, &0x46_5053).unwrap();
            let far_end = far.local_addr().unwrap();
            let port = near.local_addr().unwrap().port();
            let told = |sockets: &mut UdpSockets| {
                let told = sockets.read().unwrap();
                assert_eq!(told.len(), 2, "{told:?}");
                *told.iter().find(|it| it.local.port() == port).unwrap()
            };
            let unconnected = told(&mut sockets);
            assert_eq!(unconnected.peer, None);
            assert_eq!(unconnected.mark, Some(Fwmark(0x46_5053)));
            let flow = unconnected.flow(far_end);
            assert_eq!((flow.to, flow.from), (far_end.ip(), None));
            assert_eq!(flow.port, Some((IpProtocol::Udp, far_end.port())));
            near.connect(far_end).unwrap();
            let connected = told(&mut sockets);
            assert_eq!(connected.peer, Some(far_end));
            let own: IpAddr = far_end.ip();
            assert_eq!(connected.local, SocketAddr::new(own, port));
            assert_eq!(connected.flow(far_end).from, Some(own));
        }
    });
}
