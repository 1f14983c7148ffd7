//! systemd-resolved, told again what it was told.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::addresses::run;
use super::draft::quoted;
use super::names::Names;
use crate::dump::{Dump, Mode, Remarks, Resolved, Scope};

/// Where /etc/resolv.conf of a lab's host leads that has systemd-resolved.
pub(super) const FILE: &str = "../run/systemd/resolve/stub-resolv.conf";
/// What that writes.
pub(super) const FOLDER: &str = "/run/systemd/resolve/";
/// Read behind the lab's own, which is called `lab.conf`: resolved.conf(5) sorts them by their names.
const CONFIGURATION: &str = "/run/systemd/resolved.conf.d/zz-customer.conf";

/// The host's lines and acts.
pub(super) fn names(host: &str, dump: &Dump, told: &Resolved, remarks: &mut Remarks) -> Names {
    let mut names = Names::default();
    let lines = ["resolver = \"systemd-resolved\"", "name-servers = []"];
    names.lines.extend(lines.map(str::to_owned));
    let conf = configuration(&told.global);
    names.lines.push(format!(
        "files.{} = {}",
        quoted(CONFIGURATION),
        quoted(&conf)
    ));
    for (name, scope) in &told.links {
        let acts = of_link(name, scope, &told.global.modes);
        let is_there = dump
            .links
            .iter()
            .any(|link| !link.loopback && link.name().as_str() == name);
        match is_there {
            true => names.acts.extend(acts.into_iter().map(|it| run(host, it))),
            false if acts.is_empty() => {}
            false => remarks.add(format!(
                "what systemd-resolved was told of {name} is left out: there is no such link"
            )),
        }
    }
    for server in told.links.iter().flat_map(|(_, scope)| &scope.servers) {
        if server.port.is_some() {
            remarks.add(format!("where {server} was asked, port 53 alone answers"));
        }
    }
    remarks.add(
        "systemd-resolved is the real one, and `ci/resolved` fetches it where there is none; `fps-lab import \
         --without-resolved` does without",
    );
    names
}

/// resolved.conf(5). Servers for when there are no others are left out: they are the distribution's.
fn configuration(global: &Scope) -> String {
    let mut text = "[Resolve]\n".to_owned();
    let mut put = |key: &str, value: &str| {
        writeln!(text, "{key}={value}").expect("a String grows");
    };
    let servers: Vec<String> = global.servers.iter().map(ToString::to_string).collect();
    if !servers.is_empty() {
        put("DNS", &servers.join(" "));
    }
    if !global.domains.is_empty() {
        put("Domains", &global.domains.join(" "));
    }
    for (mode, word) in &global.modes {
        put(mode.key(), word);
    }
    text
}

/// The commands for one link. What it is without being told is not told.
fn of_link(name: &str, scope: &Scope, global: &BTreeMap<Mode, &str>) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    let mut put = |command: &str, values: &[String]| {
        let words = ["resolvectl", command, name].map(str::to_owned);
        commands.push(words.into_iter().chain(values.iter().cloned()).collect());
    };
    let servers: Vec<String> = scope.servers.iter().map(ToString::to_string).collect();
    if !servers.is_empty() {
        put("dns", &servers);
    }
    if !scope.domains.is_empty() {
        put("domain", &scope.domains);
    }
    // One that has servers is asked for all names, unless a domain of it is for routing alone
    // (dns_scope_is_default_route in systemd's resolved-dns-scope.c).
    let by_itself = !scope.domains.iter().any(|domain| domain.starts_with('~'));
    if let Some(is) = scope.default_route
        && is != by_itself
        && !servers.is_empty()
    {
        let word = if is { "yes" } else { "no" };
        put("default-route", &[word.to_owned()]);
    }
    for (mode, word) in &scope.modes {
        if global.get(mode).is_some_and(|all| all != word) {
            put(mode.command(), &[(*word).to_owned()]);
        }
    }
    commands
}

/// Tells it in comments.
pub(super) fn tell(told: &Resolved, remarks: &mut Remarks) {
    remarks.add("systemd-resolved ran and does not run here. It was told:");
    let links = told
        .links
        .iter()
        .map(|(name, scope)| (name.as_str(), scope));
    for (of, scope) in [("all links", &told.global)].into_iter().chain(links) {
        if scope.servers.is_empty() && scope.domains.is_empty() {
            continue;
        }
        let servers: Vec<String> = scope.servers.iter().map(ToString::to_string).collect();
        let default = match scope.default_route {
            Some(true) => ", for all other names",
            Some(false) => ", not for other names",
            None => "",
        };
        let (servers, domains) = (servers.join(" "), scope.domains.join(" "));
        remarks.add(format!(
            "of {of}: servers [{servers}], domains [{domains}]{default}"
        ));
    }
}
