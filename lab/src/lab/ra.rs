//! Links whose kernel listens to router advertisements (RFC 4862).

use std::net::{Ipv6Addr, SocketAddrV6};
use std::time::Duration;

use fps_netlink::{
    Event, Events, Family, Group, IfIndex, LinkName, RouteFilter, RouteProtocol, TableId,
};
use fps_netns::gone_is_fine;
use ipnet::IpNet;
use socket2::Socket;
use tokio::time::timeout;

use super::error::At;
use super::{Host, Lab, LabError};
use crate::sandbox::{Sandbox, SandboxError, SocketKind};
use crate::scenario::{self, HostName};

/// How long an address may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// After which time routers are asked again. Hosts of the world wait four seconds (RFC 4861, 10).
const AGAIN: Duration = Duration::from_millis(500);

/// Has the kernel of a host listen on a link, or not.
pub(super) fn listen(
    sandbox: &Sandbox,
    host: &Host,
    link: &LinkName,
    plan: &scenario::Link,
) -> Result<(), SandboxError> {
    let accept = match (plan.ra, host.forward) {
        (None, _) => "0",
        (Some(_), false) => "1",
        // A router listens only so (`ipv6_accept_ra` in include/net/ipv6.h).
        (Some(_), true) => "2",
    };
    let on = |wanted| if wanted { "1" } else { "0" };
    let privacy = plan.ra.is_some_and(|ra| ra.privacy);
    let metric = plan.metric.unwrap_or(1024).max(1).to_string();
    let values = [
        ("accept_ra", accept),
        ("autoconf", on(plan.ra.is_some())),
        ("accept_ra_rt_info_max_plen", "128"),
        ("ra_defrtr_metric", metric.as_str()),
        ("use_tempaddr", if privacy { "2" } else { "0" }),
        (
            "router_solicitations",
            if plan.ra.is_some() { "3" } else { "0" },
        ),
        ("router_solicitation_delay", "0"),
        ("router_solicitation_interval", "1"),
    ];
    values.iter().try_for_each(|(key, value)| {
        sandbox.sysctl(host.id, &format!("net/ipv6/conf/{link}/{key}"), value)
    })
}

/// Has IPv6 take the link's own MTU again in place of one that was advertised, which the kernel keeps
/// for as long as the link is up (`addrconf_notify` in net/ipv6/addrconf.c).
pub(super) fn forget_mtu(
    sandbox: &Sandbox,
    host: &Host,
    link: &LinkName,
    mtu: u32,
) -> Result<(), SandboxError> {
    /// A link with less has no IPv6 (RFC 8200, 5).
    const LEAST: u32 = 1280;
    if mtu < LEAST {
        return Ok(());
    }
    let key = format!("net/ipv6/conf/{link}/mtu");
    sandbox.sysctl(host.id, &key, &mtu.to_string())
}

impl Lab {
    /// Waits until a link has made an address of an advertisement. Its router's route is there by
    /// then (`ndisc_router_discovery` in net/ipv6/ndisc.c).
    pub(super) async fn await_ra(&self, on: &HostName, link: &LinkName) -> Result<(), LabError> {
        let host = self.host(on);
        let live = &host.links[link];
        let at = || format!("the link {link} of {on}");
        // Before the first look, so that nothing that comes meanwhile is missed.
        let socket = self.sandbox.socket(host.id, SocketKind::Route)?;
        let mut events = Events::from_socket(socket, &[Group::AddressV6]).at(at)?;
        let socket = Socket::from(self.sandbox.socket(host.id, SocketKind::IcmpV6)?);
        let made = async {
            loop {
                let addresses = host.station.netlink().addresses(Some(live.index)).await?;
                let usable = addresses.iter().any(|it| {
                    let own = live.now.addresses.contains(&it.net);
                    it.net.addr().is_ipv6() && !own && !it.automatic && !it.tentative
                });
                if usable {
                    return Ok::<_, fps_netlink::Error>(());
                }
                solicit(&socket, live.index);
                let news = async {
                    while !matches!(events.next().await?, Event::Address(_) | Event::Overrun) {}
                    Ok::<_, fps_netlink::Error>(())
                };
                match timeout(AGAIN, news).await {
                    Ok(told) => told?,
                    Err(_) => continue,
                }
            }
        };
        match timeout(PATIENCE, made).await {
            Ok(made) => made.at(at),
            Err(_) => Err(LabError::NoAdvertisement {
                host: on.clone(),
                link: *link,
                within: PATIENCE,
            }),
        }
    }
}

/// Asks who is a router on a link (RFC 4861, 6.3.7), as systemd-networkd and NetworkManager do: the
/// kernel asks only when a link is set up, and not when its carrier has come back (`addrconf_notify` in
/// net/ipv6/addrconf.c; measured on 6.18).
fn solicit(socket: &Socket, link: IfIndex) {
    const ALL_ROUTERS: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 2);
    const SOLICITATION: [u8; 8] = [133, 0, 0, 0, 0, 0, 0, 0];
    /// No router takes one that has passed another.
    const FRESH: u32 = 255;
    let to = SocketAddrV6::new(ALL_ROUTERS, 0, 0, link.get());
    // What cannot be sent is as a lost packet: it is asked again.
    drop(socket.set_multicast_hops_v6(FRESH));
    drop(socket.send_to(&SOLICITATION, &to.into()));
}

impl Host {
    /// Takes away the routes that advertisements have left on a link: the kernel keeps them until their
    /// time is over, though the link is in another net. Those of other programs stay.
    pub(super) async fn forget_ra(&self, link: IfIndex) -> fps_netns::Result<()> {
        let netlink = self.station.netlink();
        let filter = RouteFilter {
            family: Family::V6,
            table: Some(TableId::MAIN),
        };
        for route in netlink.routes(filter).await? {
            let link_local = match route.to {
                IpNet::V6(net) => net.addr().is_unicast_link_local(),
                IpNet::V4(_) => true,
            };
            // The kernel's are those of prefixes.
            let advertised = matches!(route.protocol, RouteProtocol::Ra | RouteProtocol::Kernel);
            if route.link == Some(link) && advertised && !link_local {
                gone_is_fine(netlink.delete_route(&route).await)?;
            }
        }
        Ok(())
    }
}
