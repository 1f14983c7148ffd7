//! What answers for the names of the host.

use super::addresses::run;
use super::draft::{list, quoted};
use crate::dump::{Dump, HostResolver, Remarks};

/// Where the host has the text of its /etc/resolv.conf.
const TEXT: &str = "/run/customer/resolv.conf";
/// How long it may be.
const LONGEST: usize = 1 << 16;

/// Lines of the host, and acts.
pub(super) struct Names {
    pub(super) lines: Vec<String>,
    pub(super) acts: Vec<String>,
}

pub(super) fn of(host: &str, dump: &Dump, remarks: &mut Remarks) -> Names {
    let resolver = &dump.resolver;
    let mut names = Names {
        lines: Vec::new(),
        acts: Vec::new(),
    };
    tell_resolved(resolver, remarks);
    let servers = resolver.classic();
    names
        .lines
        .push(format!("name-servers = {}", list(&servers)));
    let Some(text) = &resolver.resolv_conf else {
        names.acts.push(run(
            host,
            ["rm", "/etc/resolv.conf"].map(str::to_owned).to_vec(),
        ));
        return names;
    };
    if text.len() > LONGEST {
        remarks.add("/etc/resolv.conf is left out: it is too long");
        return names;
    }
    let target = resolver.link.as_deref().and_then(target);
    let plain: String = servers
        .iter()
        .map(|ip| format!("nameserver {ip}\n"))
        .collect();
    if resolver.link.is_none() && *text == plain && !servers.is_empty() {
        return names;
    }
    if let (Some(link), None) = (&resolver.link, &target) {
        remarks.add(format!(
            "/etc/resolv.conf leads to {link}, and is a file here"
        ));
    }
    let path = target.as_deref().unwrap_or(TEXT);
    names
        .lines
        .push(format!("files.{} = {}", quoted(path), quoted(text)));
    let words = match (&resolver.link, target.is_some()) {
        (Some(link), true) => ["ln", "-sf", link, "/etc/resolv.conf"].map(str::to_owned),
        _ => ["cp", "--", TEXT, "/etc/resolv.conf"].map(str::to_owned),
    };
    names.acts.push(run(host, words.to_vec()));
    names
}

/// The file that a link of /etc leads to, where a host of the lab can have one there.
fn target(link: &str) -> Option<String> {
    let path = match link.strip_prefix("../") {
        Some(rest) => format!("/{rest}"),
        None => link.to_owned(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/".contains(c);
    let rest = path.strip_prefix("/run/")?;
    let parts = || rest.split('/');
    let sane = parts().all(|part| !["", ".", ".."].contains(&part));
    let ours = ["fps", "fps-lab", "tunnel"];
    let first = parts().next().unwrap_or_default();
    (sane && path.len() < 200 && path.chars().all(plain) && !ours.contains(&first)).then_some(path)
}

fn tell_resolved(resolver: &HostResolver, remarks: &mut Remarks) {
    if resolver.resolved.is_empty() {
        return;
    }
    remarks.add(
        "systemd-resolved ran and does not run here; `resolver = \"systemd-resolved\"` of the host starts it. It was told:",
    );
    for link in &resolver.resolved {
        let of = link.link.as_deref().unwrap_or("all links");
        let servers: Vec<String> = link.servers.iter().map(ToString::to_string).collect();
        let default = match link.default_route {
            Some(true) => ", for all other names",
            Some(false) => ", not for other names",
            None => "",
        };
        let (servers, domains) = (servers.join(" "), link.domains.join(" "));
        remarks.add(format!(
            "of {of}: servers [{servers}], domains [{domains}]{default}"
        ));
    }
}
