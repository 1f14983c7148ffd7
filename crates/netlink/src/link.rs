//! Network interfaces: `ip link`.

use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::{
    AfSpecInet6, AfSpecUnspec, InfoBridge, InfoData, InfoKind, LinkAttribute, LinkFlags, LinkInfo,
    LinkMessage, State,
};
use nix::errno::Errno;

use crate::error::{Cause, Error, Result};
use crate::{IfIndex, LinkName, Netlink};

/// An interface, as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// Its index.
    pub index: IfIndex,
    /// Its name.
    pub name: LinkName,
    /// Whether it is set up (`IFF_UP`).
    pub up: bool,
    /// Whether its medium is there (`IFF_LOWER_UP`).
    pub carrier: bool,
    /// Its operational state, which linkwatch brings up to date (RFC 2863).
    pub operational: bool,
    /// Its MTU in bytes.
    pub mtu: u32,
    /// The bridge that it is a port of.
    pub master: Option<IfIndex>,
    /// Whether it takes IPv6. Not where the host has none, where `disable_ipv6` is set, or where the
    /// MTU is below 1280 (`addrconf_notify` in net/ipv6/addrconf.c).
    pub ipv6: bool,
}

impl Link {
    /// An interface as an Ethernet card is, with its cable in where it is up.
    pub fn new(index: IfIndex, name: LinkName, up: bool) -> Self {
        Self {
            index,
            name,
            up,
            carrier: up,
            operational: up,
            mtu: 1500,
            master: None,
            ipv6: true,
        }
    }
}

impl Link {
    pub(crate) fn from_message(message: &LinkMessage) -> Result<Self, Cause> {
        let missing = |what: &str| Cause::Malformed(format!("a link without {what}"));
        let mut name = None;
        let mut mtu = 0;
        let mut master = None;
        let mut operational = false;
        let mut ipv6 = false;
        for attribute in &message.attributes {
            match attribute {
                LinkAttribute::IfName(text) => name = LinkName::new(text).ok(),
                LinkAttribute::Mtu(bytes) => mtu = *bytes,
                LinkAttribute::Controller(index) => master = IfIndex::new(*index),
                // A TUN device never reports more than "unknown".
                LinkAttribute::OperState(state) => {
                    operational = matches!(state, State::Up | State::Unknown);
                }
                LinkAttribute::AfSpecUnspec(families) => ipv6 = takes_ipv6(families),
                _ => {}
            }
        }
        Ok(Self {
            index: IfIndex::new(message.header.index).ok_or_else(|| missing("an index"))?,
            name: name.ok_or_else(|| missing("a name"))?,
            up: message.header.flags.contains(LinkFlags::Up),
            carrier: message.header.flags.contains(LinkFlags::LowerUp),
            operational,
            mtu,
            master,
            ipv6,
        })
    }
}

/// Whether IPv6 knows the interface, and is not switched off on it (`inet6_fill_ifla6_attrs` in
/// net/ipv6/addrconf.c).
fn takes_ipv6(families: &[AfSpecUnspec]) -> bool {
    let of_ipv6 = families.iter().filter_map(|family| match family {
        AfSpecUnspec::Inet6(attributes) => Some(attributes),
        _ => None,
    });
    let mut settings = of_ipv6.flatten().filter_map(|attribute| match attribute {
        AfSpecInet6::DevConf(settings) => Some(settings),
        _ => None,
    });
    settings.any(|settings| settings.disable_ipv6 == 0)
}

impl Netlink {
    /// `ip link show`: all interfaces of the namespace.
    pub async fn links(&self) -> Result<Vec<Link>> {
        let operation = || "ip link show".to_owned();
        let answers = self
            .dump(
                operation,
                RouteNetlinkMessage::GetLink(LinkMessage::default()),
            )
            .await?;
        answers
            .iter()
            .filter_map(|answer| match answer {
                RouteNetlinkMessage::NewLink(message) => Some(Link::from_message(message)),
                _ => None,
            })
            .collect::<Result<_, Cause>>()
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// `ip link show dev NAME`; none where there is no such interface.
    pub async fn link(&self, name: &LinkName) -> Result<Option<Link>> {
        let mut message = LinkMessage::default();
        message
            .attributes
            .push(LinkAttribute::IfName(name.to_string()));
        self.get_link(format!("ip link show dev {name}"), message)
            .await
    }

    /// The interface with this index; none where there is no such interface.
    ///
    /// To ask for one interface also makes the kernel bring its operational state up to date at
    /// once (`linkwatch_sync_dev` in rtnl_getlink, since Linux 6.8; measured on 6.18). Without
    /// that, and so on older kernels, a lost carrier is reported up to a second late, and a bridge
    /// port drops what it is sent until linkwatch has run.
    pub async fn link_by_index(&self, index: IfIndex) -> Result<Option<Link>> {
        let mut message = LinkMessage::default();
        message.header.index = index.get();
        self.get_link(format!("ip link show (index {index})"), message)
            .await
    }

    /// Waits until the kernel has done what it has told of.
    ///
    /// It tells that an IPv4 route goes before it takes the route out (`fib_table_delete` in
    /// net/ipv4/fib_trie.c), and lists of routes wait for nobody since Linux 6.9: whoever reads them
    /// because of the event may find the route there still, and hears nothing more. Whoever changes routes
    /// holds the lock of rtnetlink, though, and to ask for one interface takes it (`rtnetlink_rcv_msg` in
    /// net/core/rtnetlink.c).
    pub async fn settle(&self) -> Result<()> {
        self.link_by_index(IfIndex::LOOPBACK).await.map(drop)
    }

    async fn get_link(&self, operation: String, message: LinkMessage) -> Result<Option<Link>> {
        let answer = self
            .get(|| operation.clone(), RouteNetlinkMessage::GetLink(message))
            .await;
        match answer {
            Ok(RouteNetlinkMessage::NewLink(message)) => Link::from_message(&message)
                .map(Some)
                .map_err(|cause| Error::new(operation, cause)),
            Ok(_) => Err(Error::new(operation, Cause::NoAnswer)),
            Err(error) if error.errno() == Some(Errno::ENODEV) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// `ip link add NAME up type bridge`, without snooping: a snooping bridge without a querier
    /// may keep neighbour solicitations from those who wait for them.
    pub async fn create_bridge(&self, name: &LinkName) -> Result<()> {
        let mut message = LinkMessage::default();
        up(&mut message);
        message.attributes.extend([
            LinkAttribute::IfName(name.to_string()),
            LinkAttribute::LinkInfo(vec![
                LinkInfo::Kind(InfoKind::Bridge),
                LinkInfo::Data(InfoData::Bridge(vec![InfoBridge::MulticastSnooping(false)])),
            ]),
        ]);
        self.change(
            || format!("ip link add {name} up type bridge"),
            RouteNetlinkMessage::NewLink(message),
            NLM_F_CREATE | NLM_F_EXCL,
        )
        .await
    }

    /// `ip link set dev … up`.
    pub async fn set_up(&self, index: IfIndex) -> Result<()> {
        let mut message = link(index);
        up(&mut message);
        self.set_link(|| format!("ip link set (index {index}) up"), message)
            .await
    }

    /// `ip link set dev … down`.
    pub async fn set_down(&self, index: IfIndex) -> Result<()> {
        let mut message = link(index);
        message.header.change_mask = LinkFlags::Up;
        self.set_link(|| format!("ip link set (index {index}) down"), message)
            .await
    }

    /// `ip link set dev … mtu N`.
    pub async fn set_mtu(&self, index: IfIndex, mtu: u32) -> Result<()> {
        let mut message = link(index);
        message.attributes.push(LinkAttribute::Mtu(mtu));
        self.set_link(|| format!("ip link set (index {index}) mtu {mtu}"), message)
            .await
    }

    /// `ip link set dev … name NAME`; of a link that is up since Linux 6.2 (commit bd039b5ea2a9).
    pub async fn rename(&self, index: IfIndex, name: &LinkName) -> Result<()> {
        let mut message = link(index);
        message
            .attributes
            .push(LinkAttribute::IfName(name.to_string()));
        self.set_link(
            || format!("ip link set (index {index}) name {name}"),
            message,
        )
        .await
    }

    /// `ip link set dev … master BRIDGE`.
    pub async fn set_master(&self, index: IfIndex, bridge: IfIndex) -> Result<()> {
        let mut message = link(index);
        message
            .attributes
            .push(LinkAttribute::Controller(bridge.get()));
        self.set_link(
            || format!("ip link set (index {index}) master (index {bridge})"),
            message,
        )
        .await
    }

    /// The hardware address of an interface; empty where it has none, as a TUN device.
    pub async fn hardware_address(&self, index: IfIndex) -> Result<Vec<u8>> {
        let operation = || format!("ip link show (index {index})");
        let request = RouteNetlinkMessage::GetLink(link(index));
        let RouteNetlinkMessage::NewLink(message) = self.get(operation, request).await? else {
            return Err(Error::new(operation(), Cause::NoAnswer));
        };
        let address = message.attributes.into_iter().find_map(|it| match it {
            LinkAttribute::Address(bytes) => Some(bytes),
            _ => None,
        });
        Ok(address.unwrap_or_default())
    }

    /// `ip link set dev … address BYTES`.
    pub async fn set_hardware_address(&self, index: IfIndex, address: &[u8]) -> Result<()> {
        let mut message = link(index);
        message
            .attributes
            .push(LinkAttribute::Address(address.to_vec()));
        self.set_link(|| format!("ip link set (index {index}) address …"), message)
            .await
    }

    /// `ip link set dev … nomaster`.
    pub async fn release(&self, index: IfIndex) -> Result<()> {
        let mut message = link(index);
        message.attributes.push(LinkAttribute::Controller(0));
        self.set_link(|| format!("ip link set (index {index}) nomaster"), message)
            .await
    }

    /// `ip link del dev …`.
    pub async fn delete_link(&self, index: IfIndex) -> Result<()> {
        self.change(
            || format!("ip link del (index {index})"),
            RouteNetlinkMessage::DelLink(link(index)),
            0,
        )
        .await
    }

    async fn set_link(
        &self,
        operation: impl FnOnce() -> String,
        message: LinkMessage,
    ) -> Result<()> {
        // RTM_NEWLINK without NLM_F_CREATE changes what is there.
        self.change(operation, RouteNetlinkMessage::NewLink(message), 0)
            .await
    }
}

fn link(index: IfIndex) -> LinkMessage {
    let mut message = LinkMessage::default();
    message.header.index = index.get();
    message
}

pub(crate) fn up(message: &mut LinkMessage) {
    message.header.flags |= LinkFlags::Up;
    message.header.change_mask |= LinkFlags::Up;
}
