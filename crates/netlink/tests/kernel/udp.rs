//! UDP sockets.

use std::net::{IpAddr, SocketAddr, SocketAddrV6, UdpSocket};
use std::os::fd::AsRawFd;

use fps_netlink::{Fwmark, IfIndex, IpProtocol, UdpSockets};
use fps_netns::testing::with_namespaces;
use nix::sys::socket::sockopt::{Ipv6V6Only, Mark};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrIn6, setsockopt, socket};

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
            let source = SocketAddr::new(far_end.ip(), port);
            assert!(unconnected.may_have_sent(source, far_end));
            let other_port = SocketAddr::new(far_end.ip(), port ^ 1);
            assert!(!unconnected.may_have_sent(other_port, far_end));
            near.connect(far_end).unwrap();
            let connected = told(&mut sockets);
            assert_eq!(connected.peer, Some(far_end));
            let own: IpAddr = far_end.ip();
            assert_eq!(connected.local, SocketAddr::new(own, port));
            assert_eq!(connected.flow(far_end).from, Some(own));
            assert!(connected.may_have_sent(source, far_end));
            assert!(!connected.may_have_sent(source, source));
        }
    });
}

#[test]
fn a_socket_of_ipv6_speaks_ipv4_unless_it_may_not() {
    let name = "udp::a_socket_of_ipv6_speaks_ipv4_unless_it_may_not";
    with_namespaces(name, async || {
        let host = Host::new().await;
        let mut sockets = host.namespace.within(UdpSockets::open).unwrap().unwrap();
        for only_v6 in [false, true] {
            let bind = || {
                let (domain, flags) = (AddressFamily::Inet6, SockFlag::empty());
                let socket = socket(domain, SockType::Datagram, flags, None).unwrap();
                setsockopt(&socket, Ipv6V6Only, &only_v6).unwrap();
                let any = SockaddrIn6::from("[::]:1194".parse::<SocketAddrV6>().unwrap());
                nix::sys::socket::bind(socket.as_raw_fd(), &any).unwrap();
                socket
            };
            let socket = host.namespace.within(bind).unwrap();
            let told = sockets.read().unwrap();
            assert_eq!(told[0].only_v6, only_v6);
            let may = |source: &str| {
                let to = "192.0.2.1:1194".parse().unwrap();
                told[0].may_have_sent(source.parse().unwrap(), to)
            };
            assert_eq!(may("198.51.100.1:1194"), !only_v6);
            assert!(may("[2001:db8::1]:1194"));
            drop(socket);
        }
    });
}
