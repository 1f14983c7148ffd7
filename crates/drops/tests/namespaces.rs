//! Packets that are dropped in namespaces of this test's own.

use std::net::UdpSocket;
use std::os::fd::AsFd;

use fps_drops::{Dropped, Drops, Error, Kernel};
use fps_netlink::{LinkName, Netlink};
use fps_netns::testing::{may_load_bpf, with_namespaces};
use fps_netns::{Namespace, Station};

/// A namespace whose loopback is up.
async fn namespace() -> Namespace {
    let namespace = Namespace::create().unwrap();
    let station = Station::new(namespace.within(Netlink::open).unwrap().unwrap());
    let lo = station.link(&LinkName::new("lo").unwrap()).await.unwrap();
    station.netlink().set_up(lo.index).await.unwrap();
    namespace
}

/// Sends a packet to a port where nobody listens; gives the port.
fn ask_nobody(namespace: &Namespace, address: &str) -> u16 {
    let send = || {
        let socket = UdpSocket::bind((address, 0)).unwrap();
        let to = UdpSocket::bind((address, 0)).unwrap().local_addr().unwrap();
        socket.send_to(b"is anybody there?", to).unwrap();
        to.port()
    };
    namespace.within(send).unwrap()
}

/// Hears in a namespace; none for whom that is not allowed, and then that is what is said.
fn hear<'a>(kernel: &'a Kernel, namespace: &Namespace) -> Option<Drops<'a>> {
    let socket = namespace.within(|| UdpSocket::bind("0.0.0.0:0")).unwrap();
    match Drops::hear(kernel, socket.unwrap().as_fd()) {
        Ok(drops) => Some(drops),
        Err(error) => {
            assert!(!may_load_bpf(), "{error:?}");
            assert!(error.is_lack(), "{error:?}");
            None
        }
    }
}

/// What was dropped of the packets to a port, in order.
fn to(port: u16, drops: &Drops<'_>) -> Vec<Dropped> {
    let all = std::iter::from_fn(|| drops.next().unwrap());
    let udp = |it: &Dropped| match it.headers.first().unwrap_or(&0) >> 4 {
        4 => it.headers[22..24] == port.to_be_bytes(),
        6 => it.headers[42..44] == port.to_be_bytes(),
        _ => false,
    };
    all.filter(udp).collect()
}

#[test]
fn tells_the_kernels_reason_and_the_packet() {
    with_namespaces("tells_the_kernels_reason_and_the_packet", async || {
        let kernel = Kernel::read().unwrap();
        let namespace = namespace().await;
        let Some(drops) = hear(&kernel, &namespace) else {
            return;
        };
        for address in ["127.0.0.1", "::1"] {
            let port = ask_nobody(&namespace, address);
            let dropped = to(port, &drops);
            assert_eq!(dropped.len(), 1, "{dropped:?}");
            assert_eq!(dropped[0].reason, "NO_SOCKET");
            assert_eq!(dropped[0].link.as_deref(), Some("lo"));
            assert!(dropped[0].headers.ends_with(b"is anybody there?"));
        }
    });
}

#[test]
fn hears_nothing_of_other_namespaces() {
    with_namespaces("hears_nothing_of_other_namespaces", async || {
        let kernel = Kernel::read().unwrap();
        let (here, there) = (namespace().await, namespace().await);
        let Some(drops) = hear(&kernel, &here) else {
            return;
        };
        let other = ask_nobody(&there, "127.0.0.1");
        let own = ask_nobody(&here, "127.0.0.1");
        let heard: Vec<Dropped> = std::iter::from_fn(|| drops.next().unwrap()).collect();
        let ports: Vec<_> = heard.iter().map(|it| it.headers[22..24].to_vec()).collect();
        assert!(ports.contains(&own.to_be_bytes().to_vec()), "{heard:?}");
        assert!(
            other == own || !ports.contains(&other.to_be_bytes().to_vec()),
            "{heard:?}"
        );
    });
}

#[test]
fn a_kernel_that_does_not_know_sockets_cookies_is_a_lack() {
    assert!(Error::Cookie(nix::errno::Errno::ENOPROTOOPT).is_lack());
    assert!(!Error::Cookie(nix::errno::Errno::EBADF).is_lack());
}
