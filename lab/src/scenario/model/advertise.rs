//! Router advertisements (RFC 4861): what routers say, and what links make of it.

use std::net::Ipv6Addr;
use std::time::Duration;

use fps_netlink::LinkName;
use ipnet::Ipv6Net;

use super::HostName;

/// What a router says on a link. Lifetimes are whole seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advertisement {
    /// For how long it is a default router from now on; not at all where that is none, which withdraws
    /// what it has said before.
    pub lifetime: Option<Duration>,
    /// The networks on the link in which hosts make addresses (prefix information).
    pub prefixes: Vec<Ipv6Net>,
    /// For how long addresses in them are valid.
    pub valid: Duration,
    /// For how long they are taken for what begins.
    pub preferred: Duration,
    /// Networks behind this router (route information, RFC 4191), as long as it is a router.
    pub routes: Vec<Ipv6Net>,
    /// Name servers (RDNSS, RFC 8106), as long as it is a router.
    pub name_servers: Vec<Ipv6Addr>,
    /// The MTU of the link.
    pub mtu: Option<u32>,
    /// The time from one advertisement to the next that nobody has asked for.
    pub every: Duration,
    /// Whether it says anything.
    pub answers: bool,
}

/// What a router says from now on; none for what stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvertisementChange {
    /// The host.
    pub on: HostName,
    /// Its link.
    pub link: LinkName,
    /// See [`Advertisement::lifetime`].
    pub lifetime: Option<Option<Duration>>,
    /// See [`Advertisement::prefixes`].
    pub prefixes: Option<Vec<Ipv6Net>>,
    /// See [`Advertisement::valid`].
    pub valid: Option<Duration>,
    /// See [`Advertisement::preferred`].
    pub preferred: Option<Duration>,
    /// See [`Advertisement::routes`].
    pub routes: Option<Vec<Ipv6Net>>,
    /// See [`Advertisement::name_servers`].
    pub name_servers: Option<Vec<Ipv6Addr>>,
    /// See [`Advertisement::mtu`].
    pub mtu: Option<u32>,
    /// See [`Advertisement::every`].
    pub every: Option<Duration>,
    /// See [`Advertisement::answers`].
    pub answers: Option<bool>,
}

impl Advertisement {
    /// Does what an act says.
    pub fn change(&mut self, change: &AdvertisementChange) {
        fn set<T: Clone>(to: &mut T, new: Option<&T>) {
            if let Some(new) = new {
                to.clone_from(new);
            }
        }
        set(&mut self.lifetime, change.lifetime.as_ref());
        set(&mut self.prefixes, change.prefixes.as_ref());
        set(&mut self.valid, change.valid.as_ref());
        set(&mut self.preferred, change.preferred.as_ref());
        // Nobody may say that an address is preferred for longer than it is valid.
        self.preferred = self.preferred.min(self.valid);
        set(&mut self.routes, change.routes.as_ref());
        set(&mut self.name_servers, change.name_servers.as_ref());
        set(&mut self.every, change.every.as_ref());
        set(&mut self.answers, change.answers.as_ref());
        self.mtu = change.mtu.or(self.mtu);
    }
}

/// What the kernel makes of router advertisements on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AcceptRa {
    /// Whether it makes temporary addresses too, and takes them for what begins (RFC 8981).
    pub privacy: bool,
}
