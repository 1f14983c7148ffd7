//! TCP sockets.

use std::net::{TcpListener, TcpStream};

use fps_netlink::{Fwmark, IfIndex, TcpSockets};
use fps_netns::testing::with_namespaces;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::Mark;

use crate::host::Host;

#[test]
fn tells_of_connections_and_their_marks() {
    with_namespaces("tcp::tells_of_connections_and_their_marks", async || {
        let host = Host::new().await;
        host.netlink.set_up(IfIndex::LOOPBACK).await.unwrap();
        let mut sockets = host.namespace.within(TcpSockets::open).unwrap().unwrap();
        assert_eq!(sockets.read().unwrap(), []);
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let listen = || TcpListener::bind(address).unwrap();
            let listener = host.namespace.within(listen).unwrap();
            let connect = || TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let stream = host.namespace.within(connect).unwrap();
            setsockopt(&stream, Mark, &0x46_5053).unwrap();
            let told = sockets.read().unwrap();
            // The two ends, and not the listener.
            assert_eq!(told.len(), 2, "{told:?}");
            let local = stream.local_addr().unwrap();
            let ours = told.iter().find(|socket| socket.local == local).unwrap();
            assert_eq!(ours.peer, listener.local_addr().unwrap());
            assert_eq!(ours.mark, Some(Fwmark(0x46_5053)));
            let theirs = told.iter().find(|socket| socket.peer == local).unwrap();
            assert_eq!(theirs.mark, Some(Fwmark(0)));
            drop((stream, listener));
            // The end that closed first waits (RFC 9293, 3.6.1), and is not told.
            assert_eq!(sockets.read().unwrap(), []);
        }
    });
}
