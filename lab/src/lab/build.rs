//! From a scenario to a lab, in one pass.

use std::collections::HashSet;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use fps_netlink::{LinkName, Netlink, Route, RouteProtocol, RouteScope, TableId};
use fps_netns::{Configuration, Station, Switch, masquerade};
use indexmap::IndexMap;

use super::error::At;
use super::host::{Host, LiveLink, configuration};
use super::link_servers::LinkServers;
use super::{Lab, LabError, echo, files, name_server, ra, resolved, web};
use crate::doctor::{Need, explain_groups, start_sandbox};
use crate::multicall::PROGRAMS;
use crate::play::CA;
use crate::sandbox::{FileSpec, GroupsSpec, HostHandle, HostSpec, SocketKind};
use crate::scenario::{self, HostName, NetName, Resolver, Scenario, StaticRoute};

/// What a lab takes from the machine.
#[derive(Clone, Debug)]
pub struct Site {
    /// An `fps-lab` program, which is the sandbox's helper and brings along the others.
    pub helper: PathBuf,
    /// Other builds of the programs that the lab brings along, by their names.
    pub programs: IndexMap<String, PathBuf>,
}

impl Site {
    /// This very program and what it brings along. Only for `fps-lab` itself.
    pub fn this_program() -> Self {
        Self {
            helper: "/proc/self/exe".into(),
            programs: IndexMap::new(),
        }
    }

    /// What each host finds in its PATH first.
    fn commands(&self) -> Vec<(String, String)> {
        let target = |name: &str| match self.programs.get(name) {
            Some(path) => path.display().to_string(),
            // Whatever its path: the helper, pid 1 of every host, is this program.
            None => "/proc/1/exe".to_owned(),
        };
        PROGRAMS
            .iter()
            .map(|name| ((*name).to_owned(), target(name)))
            .collect()
    }
}

/// How many hosts the helper is asked for before their links are plugged in: it creates the next
/// ones on another core meanwhile.
const AHEAD: usize = 8;

/// What the sandbox is to know of a host.
fn spec(
    scenario: &Scenario,
    name: &HostName,
    host: &scenario::Host,
    site: &Site,
    groups: Option<&str>,
) -> Result<HostSpec, LabError> {
    let names = Some(&host.cgroups).filter(|names| !names.is_empty());
    let resolved = host.resolver == Resolver::SystemdResolved;
    Ok(HostSpec {
        usr: (resolved && resolved::find() == Some(resolved::Place::Tree))
            .then(|| format!("{}/usr", resolved::TREE)),
        links: match resolved {
            true => vec![(files::RESOLV_CONF.to_owned(), files::STUB.to_owned())],
            false => Vec::new(),
        },
        groups: groups.zip(names).map(|(under, names)| GroupsSpec {
            under: under.to_owned(),
            names: names.clone(),
        }),
        name: name.to_string(),
        forward: host.forward,
        files: files::of(scenario, name, host)?,
        programs: site.commands(),
    })
}

impl Lab {
    /// Builds the hosts, links and segments of a scenario. The first packet is answered once
    /// this returns: nothing has still to come up.
    pub async fn build(scenario: &Scenario, site: &Site) -> Result<Self, LabError> {
        Need::of(scenario).iter().try_for_each(Need::look)?;
        let (mut sandbox, netlink) = start_sandbox(&site.helper)?;
        let mut hosts = scenario.hosts.values();
        let groups = match hosts.any(|host| !host.cgroups.is_empty()) {
            true => {
                let made = sandbox.make_groups(&site.helper);
                Some(made.map_err(|error| explain_groups(&error))?)
            }
            false => None,
        };
        let spec = |name, host| spec(scenario, name, host, site, groups.as_deref());
        let switch = Switch::new(Netlink::from_socket(netlink).at(|| "the switch".into())?);
        let mut lab = Self {
            sandbox: Arc::new(sandbox),
            switch,
            segments: IndexMap::new(),
            hosts: IndexMap::new(),
            ports: 0,
            authority: OnceLock::new(),
        };
        let mut ahead = scenario.hosts.iter();
        for (name, host) in ahead.by_ref().take(AHEAD) {
            lab.sandbox.ask_for_host(spec(name, host)?)?;
        }
        for (number, net) in scenario.nets.keys().enumerate() {
            lab.add_net(number, net).await?;
        }
        for (name, host) in &scenario.hosts {
            let handle = lab.sandbox.take_host(name.as_str())?;
            if let Some((name, host)) = ahead.next() {
                lab.sandbox.ask_for_host(spec(name, host)?)?;
            }
            lab.add_host(name, host, handle).await?;
            for (link, plan) in &host.links {
                lab.plug(name, link, *link, plan, None).await?;
            }
        }
        for (name, host) in &scenario.hosts {
            lab.furnish(name, host).await?;
        }
        lab.publish_authority(scenario)?;
        lab.settle().await?;
        lab.lease(scenario).await?;
        Ok(lab)
    }

    /// Gives each host the certificate of the CA, where one serves what it has signed.
    fn publish_authority(&self, scenario: &Scenario) -> Result<(), LabError> {
        let mut hosts = scenario.hosts.values();
        if !hosts.any(|host| !host.serve.https.is_empty()) {
            return Ok(());
        }
        let certificate = self.authority().map_err(LabError::Authority)?.certificate();
        for host in self.hosts.values() {
            let file = FileSpec::new(CA, certificate.clone());
            self.sandbox.write_file(host.id, file)?;
        }
        Ok(())
    }

    async fn add_net(&mut self, number: usize, net: &NetName) -> Result<(), LabError> {
        let at = || format!("the net {net}");
        let name = LinkName::new(format!("net{number}")).expect("short enough");
        let segment = self.switch.add_segment(&name).await.at(at)?;
        self.segments.insert(net.clone(), segment);
        Ok(())
    }

    async fn add_host(
        &mut self,
        name: &HostName,
        host: &scenario::Host,
        handle: HostHandle,
    ) -> Result<(), LabError> {
        let at = || format!("the host {name}");
        let station = Station::new(Netlink::from_socket(handle.netlink).at(at)?);
        station.loopback_up().await.at(at)?;
        let host = Host {
            id: handle.id,
            namespace: handle.namespace,
            station,
            links: IndexMap::new(),
            deleted: IndexMap::new(),
            plugged: HashSet::new(),
            routes: host.routes.clone(),
            services: Vec::new(),
            name_server: None,
            forward: host.forward,
        };
        self.hosts.insert(name.clone(), host);
        Ok(())
    }

    /// Gives a host a link with its addresses, without gateways. `first` is what the file calls it,
    /// `station` its hardware address, the kernel's choice where there is none.
    pub(super) async fn plug(
        &mut self,
        name: &HostName,
        link: &LinkName,
        first: LinkName,
        plan: &scenario::Link,
        station: Option<&[u8]>,
    ) -> Result<(), LabError> {
        let at = || format!("the link {link} of {name}");
        let port = LinkName::new(format!("port{}", self.ports)).expect("short enough");
        self.ports += 1;
        let segment = self.segment(&plan.net);
        let host = &mut self.hosts[name];
        let namespace = host.namespace.as_fd();
        let port = self
            .switch
            .plug(segment, &port, link, namespace)
            .await
            .at(at)?;
        let index = host.station.link(link).await.at(at)?.index;
        if let Some(address) = station {
            let netlink = host.station.netlink();
            netlink.set_hardware_address(index, address).await.at(at)?;
        }
        host.station.bring_up(index).await.at(at)?;
        // Gateways come last, once every address stands that they may hang on.
        let addresses = Configuration {
            gateways: Vec::new(),
            ..configuration(plan)
        };
        host.station.configure(index, &addresses).await.at(at)?;
        host.plugged.insert(index);
        host.links.insert(
            *link,
            LiveLink {
                first,
                port,
                index,
                now: plan.clone(),
                client: None,
                servers: LinkServers::default(),
                bad: None,
                first_mtu: None,
            },
        );
        Ok(())
    }

    /// Routes, NAT and services: what needs the links to be there.
    async fn furnish(&mut self, name: &HostName, plan: &scenario::Host) -> Result<(), LabError> {
        let host = &self.hosts[name];
        for (link, plan) in plan.links.iter().filter(|(_, link)| link.ra.is_some()) {
            ra::listen(&self.sandbox, host, link, plan)?;
        }
        for link in host.links.values() {
            let configuration = configuration(&link.now);
            host.station
                .configure(link.index, &configuration)
                .await
                .at(|| format!("the routes of {name}"))?;
        }
        // A route may hang on an address that has still to be given.
        if !plan.links.values().any(scenario::Link::is_given) {
            add_routes(name, host, plan).await?;
        }
        if !plan.nat.is_empty() {
            let socket = self.sandbox.socket(host.id, SocketKind::Netfilter)?;
            masquerade(socket, &plan.nat).at(|| format!("the NAT of {name}"))?;
        }
        let mut services = echo::serve(&self.sandbox, name, host.id, &plan.serve)?;
        services.extend(web::serve(self, name, plan)?);
        let mut name_server = None;
        if let Some(dns) = &plan.dns {
            let (server, more) = name_server::serve(&self.sandbox, name, host.id, dns)?;
            name_server = Some(server);
            services.extend(more);
        }
        let sandbox = Arc::clone(&self.sandbox);
        let host = self.host_mut(name);
        (host.services, host.name_server) = (services, name_server);
        let id = host.id;
        for (link, live) in &mut host.links {
            live.servers = LinkServers::new(plan, link);
            live.servers
                .start(&sandbox, (name, id), (link, live.index))?;
        }
        Ok(())
    }

    /// Has each link get its lease: one after the other, so that who gets which address is no race.
    /// And its IPv6 addresses, of advertisements.
    async fn lease(&mut self, scenario: &Scenario) -> Result<(), LabError> {
        let hosts = self.hosts.values();
        hosts
            .flat_map(|host| host.links.values())
            .filter_map(|link| link.servers.advertiser.as_deref())
            .for_each(|advertiser| advertiser.announce());
        for (name, plan) in &scenario.hosts {
            for (link, plan) in plan.links.iter().filter(|(_, link)| link.is_given()) {
                if plan.dhcp.is_some() {
                    self.start_client(name, link).await?;
                }
                if plan.ra.is_some() {
                    self.await_ra(name, link).await?;
                }
            }
            if plan.links.values().any(scenario::Link::is_given) {
                add_routes(name, self.host(name), plan).await?;
            }
        }
        Ok(())
    }

    /// Makes every port forward at once (see [`Switch::settle_port`]).
    async fn settle(&self) -> Result<(), LabError> {
        for (name, host) in &self.hosts {
            for (link, live) in &host.links {
                let at = || format!("the link {link} of {name}");
                self.switch.settle_port(live.port).await.at(at)?;
                host.station.settle(live.index).await.at(at)?;
            }
        }
        for (net, segment) in &self.segments {
            self.switch
                .settle_segment(*segment)
                .await
                .at(|| format!("the net {net}"))?;
        }
        Ok(())
    }
}

/// The host's own routes.
async fn add_routes(name: &HostName, host: &Host, plan: &scenario::Host) -> Result<(), LabError> {
    for route in &plan.routes {
        host.add_route(route)
            .await
            .at(|| format!("the route to {} on {name}", route.to))?;
    }
    Ok(())
}

impl Host {
    /// `ip route add`.
    pub async fn add_route(&self, route: &StaticRoute) -> fps_netns::Result<()> {
        let route = self.route(route).await?;
        Ok(self.station.netlink().add_route(&route).await?)
    }

    /// `ip route del`.
    pub async fn delete_route(&self, route: &StaticRoute) -> fps_netns::Result<()> {
        let route = self.route(route).await?;
        // As ip(8) asks: whoever has set it, and how far away it may be.
        let any = Route {
            protocol: RouteProtocol::Unspec,
            scope: RouteScope::NoWhere,
            ..route
        };
        Ok(self.station.netlink().delete_route(&any).await?)
    }

    async fn route(&self, plan: &StaticRoute) -> fps_netns::Result<Route> {
        let mut route = Route::new(plan.to);
        if let Some(gateway) = plan.via {
            route = route.via(gateway);
        }
        if let Some(link) = &plan.link {
            route = route.on_link(self.station.link(link).await?.index);
        }
        Ok(Route {
            metric: plan.metric,
            kind: plan.kind,
            table: plan.table.unwrap_or(TableId::MAIN),
            source: plan.source,
            protocol: plan.protocol.unwrap_or(route.protocol),
            onlink: plan.onlink,
            ..route
        })
    }
}
