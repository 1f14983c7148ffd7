//! Pairs of virtual Ethernet devices, each end born where it stays.

use std::os::fd::{AsRawFd, BorrowedFd};

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    InfoData, InfoKind, InfoVeth, LinkAttribute, LinkInfo, LinkMessage,
};

use crate::link::up;
use crate::{IfIndex, LinkName, Netlink, Result};

/// A pair to create: the port here, its peer in another namespace.
///
/// To create a pair in one namespace and move an end costs 17 to 40 ms, since the move waits for
/// RCU; a peer that is born in its namespace costs 0.6 ms.
#[derive(Clone, Copy, Debug)]
pub struct VethPair<'a> {
    /// The end in the socket's namespace; it is set up at once.
    pub port: &'a LinkName,
    /// The bridge that the port belongs to from its birth.
    pub bridge: IfIndex,
    /// The end in the other namespace; it comes down, since the kernel refuses IFF_UP here
    /// (ENOTCONN: its own peer does not exist yet).
    pub peer: &'a LinkName,
    /// The other namespace.
    pub namespace: BorrowedFd<'a>,
}

impl Netlink {
    /// `ip link add PORT up master BRIDGE type veth peer name PEER netns NAMESPACE`.
    pub async fn create_veth(&self, pair: VethPair<'_>) -> Result<()> {
        let place = LinkAttribute::NetNsFd(pair.namespace.as_raw_fd());
        self.create_pair(pair.port, pair.bridge, pair.peer, Some(place))
            .await
    }

    /// `ip link add PORT up master BRIDGE type veth peer name PEER`: both ends here, the peer down.
    pub async fn create_veth_here(
        &self,
        port: &LinkName,
        bridge: IfIndex,
        peer: &LinkName,
    ) -> Result<()> {
        self.create_pair(port, bridge, peer, None).await
    }

    async fn create_pair(
        &self,
        name: &LinkName,
        bridge: IfIndex,
        peer_name: &LinkName,
        place: Option<LinkAttribute>,
    ) -> Result<()> {
        let mut peer = LinkMessage::default();
        let named = LinkAttribute::IfName(peer_name.to_string());
        peer.attributes.extend([named].into_iter().chain(place));
        let mut port = LinkMessage::default();
        up(&mut port);
        port.attributes.extend([
            LinkAttribute::IfName(name.to_string()),
            LinkAttribute::Controller(bridge.get()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Veth),
                LinkInfo::Data(InfoData::Veth(InfoVeth::Peer(peer))),
            ]),
        ]);
        self.change(
            || {
                format!(
                    "ip link add {name} up master (index {bridge}) type veth peer name {peer_name}"
                )
            },
            RouteNetlinkMessage::NewLink(port),
            NLM_F_CREATE | NLM_F_EXCL,
        )
        .await
    }
}
