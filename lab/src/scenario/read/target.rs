//! Where a probe goes: a host, `host:link`, or an address.

use std::net::{IpAddr, SocketAddr};

use fps_netlink::LinkName;

use super::{Family, Lab};
use crate::scenario::diagnostic::{Diagnostic, Span};
use crate::scenario::model::{Given, HostName, Target};
use crate::scenario::syntax::Word;

/// What a target names.
#[derive(Clone, Debug)]
pub(crate) enum Aim<'a> {
    /// An address, and the host that has it.
    Address(IpAddr, Option<HostName>, Word<'a>),
    /// A host, or one of its interfaces.
    Host(HostName, Option<LinkName>, Word<'a>),
}

/// Reads a target.
pub(crate) fn aim<'a>(word: Word<'a>, lab: &Lab) -> Option<Aim<'a>> {
    if let Ok(ip) = word.text.parse::<IpAddr>() {
        return Some(Aim::Address(ip, owner(ip, word, lab)?, word));
    }
    if let Some(wrong) = no_target(word, lab) {
        return word.refuse(wrong);
    }
    if word.text.contains('.') {
        return word.address().map(|ip| Aim::Address(ip, None, word));
    }
    let Some((host, _)) = word.text.split_once(':') else {
        return Some(Aim::Host(lab.host(word)?, None, word));
    };
    let link_word = word.tail(host.len() + 1);
    let host = lab.host(Word { text: host, ..word })?;
    let link = lab.interface(&host, link_word)?;
    Some(Aim::Host(host, Some(link), word))
}

/// What is wrong with a text that has the form of no target, but of what other programs take for one.
fn no_target(word: Word<'_>, lab: &Lab) -> Option<Diagnostic> {
    const A_PORT: &str = "a port has a key of its own, `port`, where one can be chosen";
    let text = word.text;
    if text.contains("://") {
        let wrong = word
            .wrong(format!("`{text}` is a URL"))
            .label("name the host alone");
        return Some(wrong.help("write `to = \"web\"`, `with = \"http\"` and `path = \"/\"`"));
    }
    if let Ok(socket) = text.parse::<SocketAddr>() {
        let wrong = word.wrong(format!("`{text}` has a port"));
        return Some(wrong.label(format!("write `{}`", socket.ip())).note(A_PORT));
    }
    if let Some((host, port)) = text.split_once(':')
        && port.parse::<u16>().is_ok()
        && !host.contains('.')
        && !has_link(lab, host, port)
    {
        let wrong = word.wrong(format!("`{text}` has a port, where a link could stand"));
        return Some(wrong.label(format!("write `{host}`")).note(A_PORT));
    }
    // No host's name has a dot.
    let is_name = !text.contains([':', '/']) && text.contains(|c: char| c.is_ascii_alphabetic());
    if is_name && text.contains('.') {
        let wrong = word.wrong(format!("`{text}` is no host of the lab, and no address"));
        let wrong = wrong.note("a target is a host, `host:link`, or an address");
        let hosts: Vec<&str> = lab.hosts.keys().map(HostName::as_str).collect();
        return Some(wrong.note(format!("hosts are: {}", hosts.join(", "))));
    }
    None
}

/// Whether a link has the name of a port, which it may.
fn has_link(lab: &Lab, host: &str, name: &str) -> bool {
    let host = HostName::new(host);
    lab.cables.of(&host).any(|it| it.name.as_str() == name)
}

fn owner(ip: IpAddr, word: Word<'_>, lab: &Lab) -> Option<Option<HostName>> {
    let mut holders = lab.plugs.holders(ip);
    let Some(first) = holders.next() else {
        return Some(None);
    };
    match holders.find(|plug| plug.host != first.host) {
        None => Some(Some(first.host.clone())),
        Some(second) => {
            let title = format!("{ip} is both `{}` and `{}`", first.host, second.host);
            let wrong = word.wrong(title).label("name the host that is meant");
            word.refuse(
                wrong
                    .other(first.span, "the one")
                    .other(second.span, "the other"),
            )
        }
    }
}

impl Aim<'_> {
    /// The host that is meant.
    pub(crate) fn host(&self) -> Option<&HostName> {
        match self {
            Self::Address(_, host, _) => host.as_ref(),
            Self::Host(host, ..) => Some(host),
        }
    }

    /// The address to ask, which may only show when it is asked. `family` is the one that the file wants,
    /// `at` the place that says so.
    pub(crate) fn target(&self, family: Option<Family>, at: Span, lab: &Lab) -> Option<Target> {
        if let Some(given) = self.given(family, lab)? {
            return Some(Target::Given(given));
        }
        self.address(family, at, lab).map(Target::Fixed)
    }

    /// The address that a link is given, where the file names none that goes before.
    fn given(&self, family: Option<Family>, lab: &Lab) -> Option<Option<Given>> {
        let Self::Host(host, link, word) = self else {
            return Some(None);
        };
        let link = match link {
            Some(link) => link,
            None => only_link(host, *word, lab)?,
        };
        let families = family.map_or(vec![Family::V4, Family::V6], |family| vec![family]);
        for family in families {
            if self.pick(host, Some(link), Some(family), lab).is_some() {
                return Some(None);
            }
            let mut gifts = lab.plugs.gifts(host, Some(link));
            if gifts.any(|gift| gift.family == family) {
                return Some(Some(Given {
                    host: host.clone(),
                    link: *link,
                    family: family.into(),
                }));
            }
        }
        Some(None)
    }

    /// The address that the file names. `family` is the one that it wants, `at` the place that says so.
    pub(crate) fn address(&self, family: Option<Family>, at: Span, lab: &Lab) -> Option<IpAddr> {
        match self {
            Self::Address(ip, _, word) => {
                let Some(family) = family.filter(|family| *family != Family::of(*ip)) else {
                    return Some(*ip);
                };
                let wrong = Diagnostic::new(at, format!("{ip} is no {family} address"));
                word.refuse(wrong.other(word.span, "the target"))
            }
            Self::Host(host, link, word) => {
                let link = match link {
                    Some(link) => Some(link),
                    None => Some(only_link(host, *word, lab)?),
                };
                if let Some(given) = self.given(family, lab)? {
                    return word.refuse(unknown(at, &given));
                }
                let found = self.pick(host, link, family, lab);
                if found.is_none() && !lab.doubtful_hosts.contains(host) {
                    let what = family.map_or("IP".to_owned(), |family| family.to_string());
                    let title = format!("`{}` has no {what} address", word.text);
                    let wrong = Diagnostic::new(at, title);
                    let here = at == word.span;
                    word.add(if here {
                        wrong
                    } else {
                        wrong.other(word.span, "the target")
                    });
                }
                found
            }
        }
    }

    fn pick(
        &self,
        host: &HostName,
        link: Option<&LinkName>,
        family: Option<Family>,
        lab: &Lab,
    ) -> Option<IpAddr> {
        let addresses: Vec<IpAddr> = lab
            .plugs
            .of(host, link)
            .map(|plug| plug.address.addr())
            .collect();
        let of = |family| {
            addresses
                .iter()
                .copied()
                .find(|ip| Family::of(*ip) == family)
        };
        match family {
            Some(family) => of(family),
            None => of(Family::V4).or_else(|| of(Family::V6)),
        }
    }
}

/// Says that an address is to be known before it can be.
pub(crate) fn unknown(at: Span, given: &Given) -> Diagnostic {
    let wrong = Diagnostic::new(at, format!("nobody knows the address of {given} yet"));
    let wrong = wrong.label("it is given while the scenario plays");
    wrong.help("name a link with an address of its own")
}

/// The only link of a host, where a target names the host alone.
fn only_link<'l>(host: &HostName, word: Word<'_>, lab: &'l Lab) -> Option<&'l LinkName> {
    let links: Vec<_> = lab.cables.of(host).map(|cable| &cable.name).collect();
    match links.as_slice() {
        [] if lab.doubtful_hosts.contains(host) => None,
        [] => word.refuse(word.wrong(format!("`{host}` has no link and no address"))),
        [link] => Some(*link),
        _ => {
            let names: Vec<String> = links
                .iter()
                .map(|link| format!("`{host}:{link}`"))
                .collect();
            let wrong = word.wrong(format!("`{host}` has several links"));
            word.refuse(
                wrong
                    .label("say which")
                    .help(format!("write {}", names.join(" or "))),
            )
        }
    }
}
