//! From what a customer's host was like to a scenario in which it is so again.
//!
//! - [`scenario`]: the text of the file
//! - `nets`: the nets that its links are in; `around`: the hosts that its packets go to
//! - `addresses`, `routes`, `rules`, `sysctls`, `firewall`, `names`, `resolved`: what acts do to the host
//! - `expected`: what the kernel does by itself, so that no act does it again
//! - [`anonymise`]: other addresses and names in place of the customer's
//! - `draft`: the file that is being written
//!
//! What the scenario has not, a comment in it tells.

mod addresses;
mod anonymise;
mod around;
mod draft;
mod expected;
mod firewall;
mod names;
mod nets;
mod resolved;
mod routes;
mod rules;
mod sysctls;

use std::net::IpAddr;

use fps_netlink::{Family, Route, RouteKind, TableId};

use crate::dump::{Dump, HostLink, Remarks};
use addresses::run;
pub use anonymise::anonymise;
use around::Around;
use draft::{Draft, HostDraft, Inline, StepDraft, key, list};
use nets::Nets;
pub use sysctls::is_imported;

/// How many links are reproduced.
const MOST_LINKS: usize = 100;
/// How many lines `kernel` checks of a kind.
const MOST_LINES: usize = 40;

/// How a scenario is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// What the host is called: a label.
    pub host: String,
    /// What the dump comes from, for the title.
    pub source: String,
    /// Run the real systemd-resolved where the host had it.
    pub runs_resolved: bool,
}

/// Whether a host of a scenario may be called so, and no other here is.
pub fn is_host_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let ours = ["web", "gateway", "dns", "end"];
    let is_ours = |name: &str| ours.iter().any(|it| name.split('-').next() == Some(it));
    (1..=40).contains(&name.len())
        && name.chars().all(plain)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !is_ours(name)
}

/// Writes the scenario.
pub fn scenario(dump: &Dump, options: &Options) -> String {
    let mut dump = dump.clone();
    let mut remarks = dump.remarks.clone();
    bound(&mut dump, &mut remarks);
    let mut nets = Nets::infer(&dump);
    let around = Around::infer(&dump, &nets, &mut remarks);
    let internet = nets.internet();
    let (hosts, first) = around.write(&dump, &nets, &internet);
    let mut draft = Draft {
        title: format!("A customer's host, as {} tells it", options.source),
        steps: vec![first],
        ..Draft::default()
    };
    host(&mut draft, &dump, &nets, options, &mut remarks);
    draft.hosts.extend(hosts);
    draft.nets.clone_from(&nets.all);
    draft.nets.push(internet);
    check(&mut draft, &dump, &around, &options.host);
    draft.comments = opening(&dump, options, &remarks);
    draft.ending = ending(&options.host);
    draft.write()
}

/// Leaves out what is more than a lab holds.
fn bound(dump: &mut Dump, remarks: &mut Remarks) {
    // `lo` is the lab's own on each host.
    dump.links
        .retain(|link| link.loopback || link.name().as_str() != "lo");
    if dump.links.len() > MOST_LINKS {
        let left_out = dump.links.split_off(MOST_LINKS);
        let names: Vec<String> = left_out.iter().map(|it| it.name().to_string()).collect();
        remarks.add(format!(
            "of its links these are left out: {}",
            names.join(" ")
        ));
        let gone: Vec<_> = left_out.iter().map(|it| it.link.index).collect();
        let of_gone = |route: &Route| route.link.is_some_and(|link| gone.contains(&link));
        dump.routes.retain(|it| !of_gone(&it.route));
    }
}

/// The host itself, and what is done to it.
fn host(draft: &mut Draft, dump: &Dump, nets: &Nets, options: &Options, remarks: &mut Remarks) {
    let name = options.host.as_str();
    let mut lines = Vec::new();
    let mut links = StepDraft::new("its links");
    let mut addresses = StepDraft::new("its addresses");
    addresses
        .comments
        .push("What the kernel made of hardware addresses goes; the customer's come.".to_owned());
    let flush = ["ip", "-6", "addr", "flush", "scope", "link"].map(str::to_owned);
    addresses.acts.push(run(name, flush.to_vec()));
    draft.needs.insert("ip");
    let mut cables = StepDraft::new("its cables");
    for link in &dump.links {
        let own = addresses::of(name, link, dump, nets);
        addresses.acts.extend(own.acts);
        if link.loopback {
            continue;
        }
        let net = nets
            .of(&link.name())
            .map(|net| net.name.clone())
            .unwrap_or_default();
        let ips = list(own.first.iter().map(|it| it.addr()));
        let table = Inline::default().text("net", net).raw("ip", ips);
        lines.push(format!(
            "link.{} = {}",
            key(link.name().as_str()),
            table.write()
        ));
        state(link, name, &mut links, &mut cables, remarks);
    }
    addresses.expect.extend(settled(dump, name));
    let mut routing = StepDraft::new("its routes");
    routing.acts = routes::acts(name, dump);
    let mut ruling = StepDraft::new("its rules");
    ruling.acts = rules::acts(name, dump);
    let mut settings = StepDraft::new("its sysctls");
    settings.acts = sysctls::acts(name, dump, remarks);
    let mut firewall = StepDraft::new("its firewall");
    if let Some(act) = firewall::act(name, dump, remarks) {
        firewall.acts.push(act);
        draft.needs.insert("nft");
    }
    let mut resolver = StepDraft::new("its names");
    let names = names::of(name, dump, options.runs_resolved, remarks);
    resolver.acts = names.acts;
    lines.extend(names.lines);
    draft.hosts.push(HostDraft {
        name: name.to_owned(),
        comments: vec!["The customer's.".to_owned()],
        lines,
        tables: Vec::new(),
    });
    let steps = [
        settings, links, addresses, routing, ruling, firewall, resolver, cables,
    ];
    draft.steps.extend(steps);
}

/// That the kernel has taken the addresses of IPv6 over: it does so a little after they are set, from a
/// work queue (`addrconf_dad_work` in net/ipv6/addrconf.c).
fn settled(dump: &Dump, host: &str) -> Option<String> {
    let local = dump.routes.iter().map(|it| &it.route).filter(|route| {
        let kind = (route.table, route.kind) == (TableId::LOCAL, RouteKind::Local);
        kind && route.family() == Family::V6 && route.to.prefix_len() == 128
    });
    let lines = local.filter_map(|route| {
        let link = dump.link(route.link?).filter(|link| !link.loopback)?;
        let line = format!("local {} dev {} table local", route.to.addr(), link.name());
        Some(draft::quoted(&line))
    });
    let lines: Vec<String> = lines.take(MOST_LINES).collect();
    let table = Inline::default().text("on", host);
    let table = table.raw("routes", format!("[{}]", lines.join(", ")));
    (!lines.is_empty()).then(|| table.of("kernel"))
}

/// What is not as a link of the lab is from the beginning.
fn state(
    link: &HostLink,
    host: &str,
    links: &mut StepDraft,
    cables: &mut StepDraft,
    remarks: &mut Remarks,
) {
    let name = link.name();
    let act = |state: &str| {
        let act = Inline::default().text("on", host).text("link", name);
        act.text("state", state).of("link")
    };
    if let Some(kind) = link.kind.as_deref().filter(|kind| *kind != "veth") {
        remarks.add(format!(
            "link {name} is a {kind}, and an ordinary link here"
        ));
    }
    match link.link.mtu {
        1500 => {}
        mtu @ 1280..=65_535 => {
            let act = Inline::default().text("on", host).text("link", name);
            links.acts.push(act.raw("mtu", mtu).of("impair"));
        }
        mtu @ 68..=1279 => {
            let words = ["ip", "link", "set", "dev", name.as_str(), "mtu"].map(str::to_owned);
            let words = words.into_iter().chain([mtu.to_string()]);
            links.acts.push(run(host, words.collect()));
        }
        mtu => remarks.add(format!("link {name} has an MTU of {mtu}, and 1500 here")),
    }
    if let Some(group) = link.group {
        let words = ["ip", "link", "set", "dev", name.as_str(), "group"].map(str::to_owned);
        let words = words.into_iter().chain([group.to_string()]);
        links.acts.push(run(host, words.collect()));
    }
    match (link.link.up, link.link.carrier) {
        (false, _) => links.acts.push(act("down")),
        (true, false) => cables.acts.push(act("unplugged")),
        (true, true) => {}
    }
}

/// The step that says whether it all came to be.
fn check(draft: &mut Draft, dump: &Dump, around: &Around, host: &str) {
    let mut step = StepDraft::new("it is as it was");
    let mut rules = rules::lines(dump);
    let defaults = dump
        .routes
        .iter()
        .filter_map(|it| default(it.route.clone(), dump));
    let mut routes: Vec<String> = defaults.collect();
    rules.truncate(MOST_LINES);
    routes.truncate(MOST_LINES);
    if !rules.is_empty() || !routes.is_empty() {
        let mut table = Inline::default().text("on", host);
        for (name, lines) in [("rules", rules), ("routes", routes)] {
            if !lines.is_empty() {
                table = table.raw(name, format!("[{}]", lines.join(", ")));
            }
        }
        step.expect.push(table.of("kernel"));
    }
    let reach = around
        .reachable(dump)
        .into_iter()
        .map(|(gateway, link, version)| {
            let table = Inline::default()
                .text("from", host)
                .text("to", format!("{gateway}:lan"));
            table.text("ip", version).text("via", link).of("reach")
        });
    match dump.nft.trim().is_empty() {
        true => step.expect.extend(reach),
        false => {
            let lines: Vec<String> = reach.collect();
            if !lines.is_empty() {
                let why = "Not checked, since its firewall may refuse it:";
                step.comments.push(why.to_owned());
                step.comments.extend(lines);
            }
        }
    }
    if step.expect.is_empty() {
        let table = Inline::default().text("on", host);
        step.expect
            .push(table.raw("links", "[\"lo up\"]").of("kernel"));
    }
    draft.steps.push(step);
}

/// A default route as `ip route` prints it, where it is one of one next hop.
fn default(route: Route, dump: &Dump) -> Option<String> {
    let link = dump.link(route.link?)?.name();
    if route.to.prefix_len() > 0 || route.richer || route.refuses() {
        return None;
    }
    let mut text = match route.to.addr() {
        IpAddr::V4(_) => "default".to_owned(),
        IpAddr::V6(_) => "-6 default".to_owned(),
    };
    if let Some(gateway) = route.gateway {
        text += &format!(" via {gateway}");
    }
    text += &format!(" dev {link}");
    text += &format!(" table {}", route.table.0);
    Some(draft::quoted(&text))
}

fn opening(dump: &Dump, options: &Options, remarks: &Remarks) -> Vec<String> {
    let mut lines = vec![
        format!("Made by `fps-lab import` of {}.", options.source),
        "What the kernel of the customer's host held is done by steps, as it was. The hosts around"
            .to_owned(),
        "it are inferred: those that its routes and its resolver name.".to_owned(),
    ];
    lines.extend(dump.about.iter().map(|line| format!("  {line}")));
    let mut remarks = remarks.lines().peekable();
    if remarks.peek().is_some() {
        lines.push(String::new());
        lines.push("Not as it was:".to_owned());
        lines.extend(remarks.map(|line| format!("- {line}")));
    }
    lines
}

/// What is to be done next.
fn ending(host: &str) -> Vec<String> {
    let lines = [
        "What should hold at the customer's, and does not? Add it, such as:".to_owned(),
        "[[step]]".to_owned(),
        format!("expect = {{ reach = {{ from = \"{host}\", to = \"web\", with = \"tcp\" }} }}"),
        format!("How it decides about an address: fps-lab why {host} ADDRESS --in THIS-FILE"),
    ];
    lines.to_vec()
}
