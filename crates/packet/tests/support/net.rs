//! What the capture's tests need of a network: links, sockets and a ping.

use std::net::Ipv4Addr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use fps_netlink::{Address, IfIndex, LinkName, Netlink, VethPair};
use fps_netns::Namespace;
use fps_packet::{Capture, Frame, Nonce};
use nix::sys::socket::{
    AddressFamily, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrIn, sendto, socket,
};
use pnet::packet::util::checksum;

/// The longest that anything here may take on a busy machine.
const DEADLINE: Duration = Duration::from_secs(10);

/// A socket as `Capture` and `Injector` take it: deaf until it is bound.
pub(crate) fn packet_socket(namespace: &Namespace) -> OwnedFd {
    let (kind, flags) = (SockType::Datagram, SockFlag::SOCK_CLOEXEC);
    namespace
        .within(|| socket(AddressFamily::Packet, kind, flags, None))
        .expect("enter the namespace")
        .expect("a packet socket")
}

/// A netlink connection to a namespace.
pub(crate) fn netlink(namespace: &Namespace) -> Netlink {
    let netlink = namespace
        .within(Netlink::open)
        .expect("enter the namespace");
    netlink.expect("a netlink connection")
}

pub(crate) fn name(text: &str) -> LinkName {
    text.parse().expect("a link's name")
}

pub(crate) async fn index(netlink: &Netlink, link: &str) -> IfIndex {
    netlink
        .link(&name(link))
        .await
        .expect("ask for a link")
        .expect("the link exists")
        .index
}

/// Gives an interface its address and sets it up.
pub(crate) async fn address(netlink: &Netlink, link: &str, net: &str) -> IfIndex {
    let index = index(netlink, link).await;
    let net = net.parse().expect("an address with a prefix");
    netlink
        .add_address(&Address::new(index, net))
        .await
        .expect("add the address");
    netlink.set_up(index).await.expect("set the link up");
    index
}

/// 10.0.0.1 on `br0` of the first namespace, whose port `port0` is the cable to `eth0`, 10.0.0.2,
/// of the second.
pub(crate) async fn connect(left: &Namespace, right: &Namespace) {
    let (near, far) = (netlink(left), netlink(right));
    near.create_bridge(&name("br0"))
        .await
        .expect("create the bridge");
    let bridge = address(&near, "br0", "10.0.0.1/24").await;
    let namespace = right.as_fd();
    let pair = VethPair {
        port: &name("port0"),
        bridge,
        peer: &name("eth0"),
        namespace,
    };
    near.create_veth(pair).await.expect("create the pair");
    let eth0 = address(&far, "eth0", "10.0.0.2/24").await;
    // To ask for a link makes linkwatch run now; till then the port forwards nothing.
    far.link_by_index(eth0).await.expect("ask for eth0");
    for link in ["port0", "br0"] {
        let link = index(&near, link).await;
        near.link_by_index(link)
            .await
            .expect("ask for the port and the bridge");
    }
}

/// Sends one ICMP echo request with the nonce.
pub(crate) fn ping(namespace: &Namespace, to: [u8; 4], nonce: Nonce) {
    let mut message = [&[8, 0, 0, 0, 0x12, 0x34, 0, 1], &nonce.payload()[..]].concat();
    let sum = checksum(&message, 1);
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    let protocol = SockProtocol::Icmp;
    let socket = namespace
        .within(|| {
            socket(
                AddressFamily::Inet,
                SockType::Raw,
                SockFlag::SOCK_CLOEXEC,
                protocol,
            )
        })
        .expect("enter the namespace")
        .expect("a raw ICMP socket");
    let [a, b, c, d] = to;
    let to = SockaddrIn::from(std::net::SocketAddrV4::new(Ipv4Addr::new(a, b, c, d), 0));
    sendto(socket.as_raw_fd(), &message, &to, MsgFlags::empty()).expect("send the ping");
}

/// Collects frames until one that `wanted` picks, and gives all of them.
pub(crate) async fn capture_until(
    capture: &mut Capture,
    wanted: impl Fn(&Frame) -> bool,
) -> Vec<Frame> {
    let mut seen = Vec::new();
    let collect = async {
        while !seen.iter().any(&wanted) {
            capture.readable().await.expect("wait for a packet");
            seen.extend(capture.drain().expect("read the packets"));
        }
    };
    let outcome = tokio::time::timeout(DEADLINE, collect).await;
    assert!(
        outcome.is_ok(),
        "the packet did not come within {DEADLINE:?}; seen: {seen:#?}"
    );
    seen
}
