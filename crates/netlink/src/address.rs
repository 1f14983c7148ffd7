//! Interface addresses: `ip addr`.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use netlink_packet_core::{NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE};
use netlink_packet_route::address::{
    AddressAttribute, AddressFlags, AddressHeaderFlags, AddressMessage, AddressScope, CacheInfo,
};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};

use crate::error::{Cause, Error, Result};
use crate::{IfIndex, Netlink};

/// An address on an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Its interface.
    pub link: IfIndex,
    /// The address with the length of its subnet's prefix.
    pub net: IpNet,
    /// The metric of the connected route that comes with it (`IFA_RT_PRIORITY`).
    pub metric: Option<u32>,
    /// IPv6: it may not be used yet, since duplicates are still being looked for.
    pub tentative: bool,
    /// The kernel made it by itself: an IPv6 link-local or loopback address.
    pub automatic: bool,
    /// No connected route comes with it (`noprefixroute`).
    pub bare: bool,
}

/// For how long an address stands (RFC 4862, section 5.5.4): `valid_lft` and `preferred_lft` of
/// ip-address(8). The kernel counts whole seconds, and takes the address away up to two seconds
/// after its time (`addrconf_verify_rtnl` in net/ipv6/addrconf.c, `check_lifetime` in
/// net/ipv4/devinet.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetimes {
    /// For how long it is there; always where that is none.
    pub valid: Option<Duration>,
    /// For how long the kernel takes it for what begins; always where that is none.
    pub preferred: Option<Duration>,
}

impl Lifetimes {
    fn cache_info(self) -> CacheInfo {
        // INFINITY_LIFE_TIME in net/addrconf.h.
        let seconds = |time: Option<Duration>| match time {
            Some(time) => u32::try_from(time.as_secs()).unwrap_or(u32::MAX),
            None => u32::MAX,
        };
        let mut info = CacheInfo::default();
        info.ifa_valid = seconds(self.valid);
        info.ifa_preferred = seconds(self.preferred);
        info
    }
}

impl Address {
    /// An address to add: usable at once, with no duplicate address detection, which takes one
    /// to two seconds (RFC 4862 section 5.4).
    pub fn new(link: IfIndex, net: IpNet) -> Self {
        Self {
            link,
            net,
            metric: None,
            tentative: false,
            automatic: false,
            bare: false,
        }
    }

    fn message(&self) -> AddressMessage {
        let mut message = AddressMessage::default();
        message.header.index = self.link.get();
        message.header.prefix_len = self.net.prefix_len();
        let address = self.net.addr();
        message.attributes.push(AddressAttribute::Address(address));
        message.attributes.push(AddressAttribute::Local(address));
        let mut flags = AddressFlags::empty();
        flags.set(AddressFlags::Noprefixroute, self.bare);
        match self.net {
            IpNet::V4(net) => {
                message.header.family = AddressFamily::Inet;
                if net.prefix_len() < 31 {
                    message
                        .attributes
                        .push(AddressAttribute::Broadcast(net.broadcast()));
                }
            }
            IpNet::V6(_) => {
                message.header.family = AddressFamily::Inet6;
                message.header.flags = AddressHeaderFlags::Nodad;
                flags |= AddressFlags::Nodad;
            }
        }
        if !flags.is_empty() {
            message.attributes.push(AddressAttribute::Flags(flags));
        }
        if let Some(metric) = self.metric {
            message
                .attributes
                .push(AddressAttribute::RoutePriority(metric));
        }
        message
    }

    pub(crate) fn from_message(message: &AddressMessage) -> Result<Self, Cause> {
        let missing = |what: &str| Cause::Malformed(format!("an address without {what}"));
        let (mut local, mut address, mut metric, mut flags) = (None, None, None, None);
        for attribute in &message.attributes {
            match attribute {
                // On a point-to-point link IFA_ADDRESS is the other side's, IFA_LOCAL ours.
                AddressAttribute::Local(ip) => local = Some(*ip),
                AddressAttribute::Address(ip) => address = Some(*ip),
                AddressAttribute::RoutePriority(value) => metric = Some(*value),
                AddressAttribute::Flags(value) => flags = Some(*value),
                _ => {}
            }
        }
        let ip = local.or(address).ok_or_else(|| missing("an address"))?;
        let net = IpNet::new(ip, message.header.prefix_len)
            .map_err(|e| Cause::Malformed(e.to_string()))?;
        let flags = flags.unwrap_or(AddressFlags::empty());
        Ok(Self {
            link: IfIndex::new(message.header.index).ok_or_else(|| missing("an index"))?,
            net,
            metric: metric.filter(|metric| *metric != 0),
            tentative: flags.contains(AddressFlags::Tentative),
            automatic: is_link_local(ip) || message.header.scope == AddressScope::Host,
            bare: flags.contains(AddressFlags::Noprefixroute),
        })
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

impl Netlink {
    /// `ip addr show`: of one interface, or of all.
    pub async fn addresses(&self, link: Option<IfIndex>) -> Result<Vec<Address>> {
        let operation = || match link {
            Some(index) => format!("ip addr show (index {index})"),
            None => "ip addr show".to_owned(),
        };
        let mut message = AddressMessage::default();
        message.header.index = link.map_or(0, IfIndex::get);
        let answers = self
            .dump(operation, RouteNetlinkMessage::GetAddress(message))
            .await?;
        answers
            .iter()
            .filter_map(|answer| match answer {
                RouteNetlinkMessage::NewAddress(message) => Some(Address::from_message(message)),
                _ => None,
            })
            .collect::<Result<_, Cause>>()
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// `ip addr add`; an address that is there already is refused with EEXIST.
    pub async fn add_address(&self, address: &Address) -> Result<()> {
        self.new_address("add", address, NLM_F_EXCL).await
    }

    /// `ip addr replace`.
    pub async fn replace_address(&self, address: &Address) -> Result<()> {
        self.new_address("replace", address, NLM_F_REPLACE).await
    }

    /// `ip addr replace … valid_lft SECONDS preferred_lft SECONDS`; one that stands has these
    /// lifetimes then.
    pub async fn replace_address_for(&self, address: &Address, times: Lifetimes) -> Result<()> {
        let mut message = address.message();
        let info = times.cache_info();
        let told = (info.ifa_valid, info.ifa_preferred);
        message.attributes.push(AddressAttribute::CacheInfo(info));
        self.change(
            || {
                format!(
                    "ip addr replace {} (index {}) valid_lft {} preferred_lft {}",
                    address.net, address.link, told.0, told.1
                )
            },
            RouteNetlinkMessage::NewAddress(message),
            NLM_F_CREATE | NLM_F_REPLACE,
        )
        .await
    }

    async fn new_address(&self, verb: &str, address: &Address, flags: u16) -> Result<()> {
        self.change(
            || format!("ip addr {verb} {} (index {})", address.net, address.link),
            RouteNetlinkMessage::NewAddress(address.message()),
            NLM_F_CREATE | flags,
        )
        .await
    }

    /// `ip addr del`; an address that is not there is refused with EADDRNOTAVAIL.
    pub async fn delete_address(&self, address: &Address) -> Result<()> {
        self.change(
            || format!("ip addr del {} (index {})", address.net, address.link),
            RouteNetlinkMessage::DelAddress(address.message()),
            0,
        )
        .await
    }
}
