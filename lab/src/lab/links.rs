//! Links that change while a scenario plays.

use std::net::IpAddr;
use std::sync::Arc;

use fps_netlink::{Family, LinkName, Route, RouteFilter, TableId};
use ipnet::IpNet;
use nix::errno::Errno;

use super::error::At;
use super::host::{DeletedLink, configuration};
use super::{DhcpClient, DhcpError, Host, Lab, LabError, ra};
use crate::scenario::{DhcpCall, HostName, LinkChange, LinkState, Roam, StaticRoute};

impl Lab {
    /// Changes a link's state, as a person would.
    pub async fn change_link(&mut self, change: &LinkChange) -> Result<(), LabError> {
        let LinkChange { on, link, state } = change;
        let at = || format!("the link {link} of {on}");
        if *state == LinkState::Recreated {
            return self.recreate(on, link).await;
        }
        let host = self.host(on);
        let index = host.station.link(link).await.at(at)?.index;
        match state {
            LinkState::Deleted => self.delete(on, link).await,
            LinkState::Recreated => unreachable!("it was just done"),
            LinkState::Renamed(new) => {
                host.station.netlink().rename(index, new).await.at(at)?;
                self.host_mut(on).rename(link, *new);
                Ok(())
            }
            LinkState::Down => Ok(host.station.netlink().set_down(index).await.at(at)?),
            LinkState::Up => {
                host.station.netlink().set_up(index).await.at(at)?;
                self.restore(on, link).await
            }
            LinkState::Plugged | LinkState::Unplugged => {
                let Some(live) = host.links.get(link) else {
                    let missing = fps_netns::Error::NoSuchLink(*link);
                    return Err(LabError::Network {
                        what: at(),
                        cause: missing,
                    });
                };
                let plugged = *state == LinkState::Plugged;
                self.switch.set_plugged(live.port, plugged).await.at(at)?;
                if !plugged {
                    live.cut().await;
                }
                // The host learns of it now, not when linkwatch next runs, up to a second later.
                host.station.settle(index).await.at(at)?;
                if plugged && live.now.dhcp.is_some() {
                    self.switch.settle_port(live.port).await.at(at)?;
                    self.start_client(on, link).await?;
                }
                Ok(())
            }
        }
    }

    /// `ip link del`, with which the port goes too.
    async fn delete(&mut self, on: &HostName, link: &LinkName) -> Result<(), LabError> {
        let host = self.host_mut(on);
        let at = || format!("the link {link} of {on}");
        let Some(mut live) = host.links.shift_remove(link) else {
            return Err(LabError::Network {
                what: at(),
                cause: fps_netns::Error::NoSuchLink(*link),
            });
        };
        let netlink = host.station.netlink();
        let station = netlink.hardware_address(live.index).await.at(at)?;
        netlink.delete_link(live.index).await.at(at)?;
        live.servers.stop();
        let deleted = DeletedLink {
            first: live.first,
            plan: live.now,
            station,
            servers: live.servers,
        };
        host.deleted.insert(*link, deleted);
        if let Some(bad) = live.bad {
            let far = bad.far;
            drop(bad);
            self.switch.delete(far).await.at(at)?;
        }
        Ok(())
    }

    /// Makes a link again as it was, in the net that it was in.
    async fn recreate(&mut self, on: &HostName, link: &LinkName) -> Result<(), LabError> {
        let deleted = self
            .host_mut(on)
            .deleted
            .shift_remove(link)
            .ok_or_else(|| {
                let what = format!("the link {link} of {on}");
                let cause = fps_netns::Error::NoSuchLink(*link);
                LabError::Network { what, cause }
            })?;
        let (plan, station) = (&deleted.plan, Some(deleted.station.as_slice()));
        self.plug(on, link, deleted.first, plan, station).await?;
        let sandbox = Arc::clone(&self.sandbox);
        let host = self.host_mut(on);
        let id = host.id;
        let live = &mut host.links[link];
        live.servers = deleted.servers;
        live.servers.start(&sandbox, (on, id), (link, live.index))?;
        let segment = self.segment(&plan.net);
        let settled = self.switch.settle_segment(segment).await;
        settled.at(|| format!("the net {}", plan.net))?;
        self.restore(on, link).await
    }

    /// What a network manager does when a link comes up: a link that was down has lost its IPv6
    /// addresses, and every route over it.
    async fn restore(&mut self, on: &HostName, link: &LinkName) -> Result<(), LabError> {
        let at = || format!("the link {link} of {on}");
        let host = self.host(on);
        let Some(live) = host.links.get(link) else {
            return Ok(());
        };
        self.switch.settle_port(live.port).await.at(at)?;
        host.station.settle(live.index).await.at(at)?;
        host.station
            .configure(live.index, &configuration(&live.now))
            .await
            .at(at)?;
        let made = live.now.ra.is_some();
        if made {
            // One that was made again has the host's defaults.
            ra::listen(&self.sandbox, host, link, &live.now)?;
        }
        if live.now.dhcp.is_some() {
            self.start_client(on, link).await?;
        }
        if made {
            self.await_ra(on, link).await?;
        }
        self.restore_routes(on, link).await
    }

    /// The host's own routes over a link.
    async fn restore_routes(&self, on: &HostName, link: &LinkName) -> Result<(), LabError> {
        let at = || format!("the link {link} of {on}");
        let host = self.host(on);
        let Some(live) = host.links.get(link) else {
            return Ok(());
        };
        let held = live.client.as_ref().map(|client| client.held());
        let leased = held.and_then(|held| held.borrow().lease.clone());
        let leased = leased.map(|lease| IpNet::V4(lease.address));
        let addresses: Vec<_> = live.now.addresses.iter().copied().chain(leased).collect();
        for route in &host.routes {
            let near = |via: IpAddr| addresses.iter().any(|address| address.contains(&via));
            let hangs_here = route.link.as_ref() == Some(link) || route.via.is_some_and(near);
            if hangs_here {
                match host.add_route(route).await {
                    // The link was up, and kept what it has.
                    Err(error) if is_taken(&error) && host.has_route(route).await.at(at)? => {}
                    added => added.at(at)?,
                }
            }
        }
        Ok(())
    }

    /// Moves a link to another net: the carrier goes, the old addresses and routes go, the
    /// carrier comes back, the new ones come.
    pub async fn roam(&mut self, roam: &Roam) -> Result<(), LabError> {
        let at = || format!("the link {} of {}", roam.link, roam.on);
        let segment = self.segment(&roam.to.net);
        let host = self.host(&roam.on);
        let live = &host.links[&roam.link];
        let (port, in_net, index) = (live.port, live.port_in_net(), live.index);
        let old = configuration(&live.now);
        self.switch.set_plugged(port, false).await.at(at)?;
        live.cut().await;
        host.station.settle(index).await.at(at)?;
        if let Some(client) = &live.client {
            let halted = client.halt().await;
            halted.map_err(|cause| failed(&roam.on, &roam.link, cause))?;
        }
        host.station.unconfigure(index, &old).await.at(at)?;
        if live.now.ra.is_some() {
            host.forget_ra(index).await.at(at)?;
            let mtu = host.station.settle(index).await.at(at)?.mtu;
            ra::forget_mtu(&self.sandbox, host, &roam.link, mtu)?;
        }
        if live.now.ra.is_some() || roam.to.ra.is_some() {
            ra::listen(&self.sandbox, host, &roam.link, &roam.to)?;
        }
        self.switch.replug(in_net, segment).await.at(at)?;
        self.switch.set_plugged(port, true).await.at(at)?;
        self.switch.settle_segment(segment).await.at(at)?;
        host.station.settle(index).await.at(at)?;
        host.station
            .configure(index, &configuration(&roam.to))
            .await
            .at(at)?;
        self.host_mut(&roam.on).links[&roam.link].now = roam.to.clone();
        if roam.to.dhcp.is_some() {
            self.start_client(&roam.on, &roam.link).await?;
        }
        if roam.to.ra.is_some() {
            self.await_ra(&roam.on, &roam.link).await?;
        }
        Ok(())
    }

    /// Has the DHCP client of a link that wants one ask for a lease; returns when it has it.
    pub(super) async fn start_client(
        &mut self,
        on: &HostName,
        name: &LinkName,
    ) -> Result<(), LabError> {
        let failed = |cause| failed(on, name, cause);
        let Some(host) = self.hosts.get_mut(on) else {
            return Ok(());
        };
        let link = &mut host.links[name];
        let Some(plan) = link.now.dhcp else {
            return Ok(());
        };
        if link.client.is_none() {
            let (id, station) = (host.id, host.station.clone());
            let made = DhcpClient::new(&self.sandbox, id, station, (name, link.index), plan)?;
            link.client = Some(made.map_err(failed)?);
        }
        match &link.client {
            Some(client) => client.start(link.now.metric, plan).await.map_err(failed),
            None => Ok(()),
        }
    }

    /// Has the DHCP client of a link do something before it is due; returns when it is done.
    pub async fn call_client(&self, call: &DhcpCall) -> Result<(), LabError> {
        let DhcpCall {
            on,
            link,
            order,
            renewal,
        } = call;
        let client = &self.host(on).links[link].client;
        let called = match client {
            Some(client) => client.call(*order, *renewal).await,
            None => Err(DhcpError::NoLease),
        };
        called.map_err(|cause| failed(on, link, cause))
    }
}

fn failed(host: &HostName, link: &LinkName, cause: DhcpError) -> LabError {
    LabError::Dhcp {
        host: host.clone(),
        link: *link,
        cause,
    }
}

impl Host {
    /// Gives a link another name, in what is restored with it too.
    fn rename(&mut self, link: &LinkName, new: LinkName) {
        if let Some(index) = self.links.get_index_of(link) {
            let renamed = self.links.replace_index(index, new);
            renamed.expect("validation knows that the name is free");
        }
        let routes = self.routes.iter_mut();
        for route in routes.filter(|route| route.link.as_ref() == Some(link)) {
            route.link = Some(new);
        }
    }

    /// Whether a route of the scenario stands.
    async fn has_route(&self, plan: &StaticRoute) -> fps_netns::Result<bool> {
        let link = match &plan.link {
            Some(link) => Some(self.station.link(link).await?.index),
            None => None,
        };
        let filter = RouteFilter {
            family: Family::of(plan.to.addr()),
            table: Some(plan.table.unwrap_or(TableId::MAIN)),
        };
        // What the kernel takes where a route names no metric.
        let default = match filter.family {
            Family::V4 => 0,
            Family::V6 => 1024,
        };
        let is_it = |route: &Route| {
            route.to == plan.to.trunc()
                && route.kind == plan.kind
                && route.gateway == plan.via
                && (link.is_none() || route.link == link)
                && route.metric.unwrap_or(default) == plan.metric.unwrap_or(default)
        };
        Ok(self
            .station
            .netlink()
            .routes(filter)
            .await?
            .iter()
            .any(is_it))
    }
}

/// Whether a route was refused because there is one with its prefix and metric.
fn is_taken(error: &fps_netns::Error) -> bool {
    matches!(error, fps_netns::Error::Netlink(error) if error.errno() == Some(Errno::EEXIST))
}
