//! What later parts of a file refer to.

use std::collections::HashSet;
use std::net::IpAddr;
use std::rc::Rc;

use fps_netlink::LinkName;
use indexmap::IndexMap;

use super::dhcp::Want;
use super::{Cables, Plugs};
use crate::scenario::diagnostic::Sources;
use crate::scenario::model::{Host, HostName, Net, NetName, Program, ProgramName, Tunnel};
use crate::scenario::syntax::Word;

/// What has been read so far, the broken parts too, so that a reference to them is no mistake.
#[derive(Debug)]
pub(crate) struct Lab {
    pub(crate) nets: IndexMap<NetName, Net>,
    pub(crate) hosts: IndexMap<HostName, Host>,
    pub(crate) programs: IndexMap<ProgramName, Program>,
    pub(crate) tunnel: Option<Tunnel>,
    /// Whether the file has `[tunnel]`, be it broken.
    pub(crate) has_tunnel: bool,
    /// Whether `[tunnel]` was read and has mistakes, so that nothing can be said about its TUN devices.
    pub(crate) is_tunnel_doubtful: bool,
    /// TUN devices, which expectations may name like links.
    pub(crate) tuns: Vec<(HostName, LinkName)>,
    /// Nets with mistakes, about whose subnets nothing can be said.
    pub(crate) doubtful_nets: HashSet<NetName>,
    /// Hosts with mistakes, about whose links and addresses nothing can be said.
    pub(crate) doubtful_hosts: HashSet<HostName>,
    /// The links that there are now.
    pub(crate) cables: Cables,
    /// The addresses that stand now.
    pub(crate) plugs: Plugs,
    /// The steps that come before the one that is read.
    pub(crate) earlier: Vec<EarlierStep>,
    /// Programs that the file needs, and those that its footprints do.
    pub(crate) needs: Vec<String>,
    /// The file's text, and those of the footprints that were read.
    pub(crate) sources: Rc<Sources>,
    /// Links for which a DHCP server has to be found yet.
    pub(crate) wants: Vec<Want>,
}

/// A step that has been read.
#[derive(Clone, Debug)]
pub(crate) struct EarlierStep {
    pub(crate) name: String,
    /// Its number in the file, counted from 1; none of one that a sabotage adds.
    pub(crate) number: Option<usize>,
    pub(crate) dropped: bool,
}

impl Lab {
    /// Nothing read yet of a file.
    pub(crate) fn new(sources: Rc<Sources>) -> Self {
        Self {
            nets: IndexMap::new(),
            hosts: IndexMap::new(),
            programs: IndexMap::new(),
            tunnel: None,
            has_tunnel: false,
            is_tunnel_doubtful: false,
            tuns: Vec::new(),
            earlier: Vec::new(),
            doubtful_nets: HashSet::new(),
            doubtful_hosts: HashSet::new(),
            cables: Cables::default(),
            plugs: Plugs::default(),
            wants: Vec::new(),
            needs: Vec::new(),
            sources,
        }
    }

    /// The host of this name.
    pub(crate) fn host(&self, word: Word<'_>) -> Option<HostName> {
        let name = HostName::new(word.text);
        if self.hosts.contains_key(&name) {
            return Some(name);
        }
        if self.hosts.keys().any(|it| is_slip(it.as_str(), word.text)) {
            return None;
        }
        let wrong = word.wrong(format!("there is no host `{}`", word.text));
        word.refuse(wrong.meant(word.text, "hosts", self.hosts.keys().map(HostName::as_str)))
    }

    /// The net of this name.
    pub(crate) fn net(&self, word: Word<'_>) -> Option<NetName> {
        let name = NetName::new(word.text);
        if self.nets.contains_key(&name) {
            return Some(name);
        }
        if self.nets.keys().any(|it| is_slip(it.as_str(), word.text)) {
            return None;
        }
        let wrong = word.wrong(format!("there is no net `{}`", word.text));
        word.refuse(wrong.meant(word.text, "nets", self.nets.keys().map(NetName::as_str)))
    }

    /// The DHCP server that may give an address in a net.
    pub(crate) fn giver(&self, net: &NetName, ip: IpAddr) -> Option<(&HostName, &LinkName)> {
        let IpAddr::V4(ip) = ip else { return None };
        let servers = self.hosts.iter().flat_map(|(name, host)| {
            let servers = host.dhcp_servers.iter();
            servers.map(move |(link, server)| (name, host, link, server))
        });
        let mut ours = servers.filter(|(_, host, link, _)| {
            let link = host.links.get(*link);
            link.is_some_and(|link| link.net == *net)
        });
        let found = ours.find(|(_, _, _, server)| server.terms.range.contains(ip));
        found.map(|(name, _, link, _)| (name, link))
    }

    /// The link of a host, one of the file's.
    pub(crate) fn link(&self, host: &HostName, word: Word<'_>) -> Option<LinkName> {
        let links = || self.cables.of(host).map(|cable| &cable.name);
        if let Some(name) = links().find(|name| name.as_str() == word.text) {
            return Some(*name);
        }
        if self.doubtful_hosts.contains(host) {
            return None;
        }
        self.check_deleted(host, word)?;
        let wrong = word.wrong(if self.is_tun(host, word.text) {
            format!("`{}` is a TUN device, which no cable leads to", word.text)
        } else {
            format!("`{host}` has no link `{}`", word.text)
        });
        let plural = format!("links of `{host}`");
        word.refuse(wrong.meant(word.text, &plural, links().map(LinkName::as_str)))
    }

    /// An interface of a host: one of the file's links, or a TUN device.
    pub(crate) fn interface(&self, host: &HostName, word: Word<'_>) -> Option<LinkName> {
        let links = self.cables.of(host).map(|cable| &cable.name);
        let tuns = self
            .tuns
            .iter()
            .filter(|(on, _)| on == host)
            .map(|(_, tun)| tun);
        let names: Vec<&LinkName> = links.chain(tuns).collect();
        if let Some(name) = names.iter().find(|name| name.as_str() == word.text) {
            return Some(*(*name));
        }
        if self.is_tunnel_doubtful || self.doubtful_hosts.contains(host) {
            return None;
        }
        self.check_deleted(host, word)?;
        let wrong = word.wrong(format!("`{host}` has no link `{}`", word.text));
        let plural = format!("links of `{host}`");
        let wrong = wrong.meant(word.text, &plural, names.iter().map(|name| name.as_str()));
        let elsewhere = self.tuns.iter().find(|(_, tun)| tun.as_str() == word.text);
        word.refuse(match elsewhere {
            Some((other, tun)) => wrong.note(format!("`{tun}` is on `{other}`")),
            None if !self.has_tunnel && wrong.label.is_none() => {
                wrong.note("TUN devices come with [tunnel]; there is none")
            }
            None => wrong,
        })
    }

    /// Refuses a link that an act has deleted.
    fn check_deleted(&self, host: &HostName, word: Word<'_>) -> Option<()> {
        if !self.cables.is_deleted(host, word.text) {
            return Some(());
        }
        let wrong = word.wrong(format!("`{}` of `{host}` is deleted here", word.text));
        word.refuse(wrong.help("make it again first, with `state = \"recreated\"`"))
    }

    /// Whether a host has a TUN device of this name.
    pub(crate) fn is_tun(&self, host: &HostName, link: &str) -> bool {
        self.tuns
            .iter()
            .any(|(on, tun)| on == host && tun.as_str() == link)
    }

    /// Makes a TUN device known.
    pub(crate) fn add_tun(&mut self, host: &HostName, tun: &LinkName) {
        if !self.is_tun(host, tun.as_str()) {
            self.tuns.push((host.clone(), *tun));
        }
    }
}

/// Whether something was to have this name, and was given it with capitals, which was refused there.
fn is_slip(given: &str, wanted: &str) -> bool {
    given != given.to_lowercase() && given.to_lowercase() == wanted
}
