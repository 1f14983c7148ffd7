//! What answers for the names of the host.

use super::addresses::run;
use super::draft::{list, quoted};
use super::resolved;
use crate::dump::{Dump, HostResolver, Remarks};

/// Where the host has the text of its /etc/resolv.conf.
const TEXT: &str = "/run/customer/resolv.conf";
/// How long it may be.
const LONGEST: usize = 1 << 16;

/// Lines of the host, and acts.
#[derive(Default)]
pub(super) struct Names {
    pub(super) lines: Vec<String>,
    pub(super) acts: Vec<String>,
}

/// Those of a host, with the real systemd-resolved where it has one and is to have it.
pub(super) fn of(host: &str, dump: &Dump, runs_resolved: bool, remarks: &mut Remarks) -> Names {
    let resolver = &dump.resolver;
    let Some(told) = &resolver.resolved else {
        return classic(host, resolver, remarks);
    };
    if !runs_resolved {
        resolved::tell(told, remarks);
        return classic(host, resolver, remarks);
    }
    let mut names = resolved::names(host, dump, told, remarks);
    names.file(host, resolver, resolved::FILE, remarks);
    names
}

fn classic(host: &str, resolver: &HostResolver, remarks: &mut Remarks) -> Names {
    let mut names = Names::default();
    let servers = resolver.classic();
    names
        .lines
        .push(format!("name-servers = {}", list(&servers)));
    let plain: String = servers
        .iter()
        .map(|ip| format!("nameserver {ip}\n"))
        .collect();
    let is_so = resolver.link.is_none() && resolver.resolv_conf.as_deref() == Some(plain.as_str());
    if !is_so || servers.is_empty() {
        names.file(host, resolver, "", remarks);
    }
    names
}

impl Names {
    /// What /etc/resolv.conf is, where it does not lead to what is there already.
    fn file(&mut self, host: &str, resolver: &HostResolver, there: &str, remarks: &mut Remarks) {
        let target = resolver.link.as_deref().and_then(target);
        let leads = |link: &str| ["ln", "-sfn", link, "/etc/resolv.conf"].map(str::to_owned);
        let Some(text) = &resolver.resolv_conf else {
            let words = match (&resolver.link, &target) {
                // It leads to nothing.
                (Some(link), Some(_)) => leads(link).to_vec(),
                _ => ["rm", "-f", "/etc/resolv.conf"].map(str::to_owned).to_vec(),
            };
            return self.acts.push(run(host, words));
        };
        if text.len() > LONGEST {
            return remarks.add("/etc/resolv.conf is left out: it is too long");
        }
        match (&resolver.link, target) {
            (Some(link), _) if link == there => {}
            (Some(link), Some(path)) => {
                // What is in its folder it writes itself.
                if there.is_empty() || !path.starts_with(resolved::FOLDER) {
                    self.text(&path, text);
                }
                self.acts.push(run(host, leads(link).to_vec()));
            }
            (link, _) => {
                if let Some(link) = link {
                    remarks.add(format!(
                        "/etc/resolv.conf leads to {link}, and is a file here"
                    ));
                }
                self.text(TEXT, text);
                // It must not be written through a link that is there.
                let words = ["cp", "--remove-destination", "--", TEXT, "/etc/resolv.conf"];
                self.acts.push(run(host, words.map(str::to_owned).to_vec()));
            }
        }
    }

    fn text(&mut self, path: &str, text: &str) {
        self.lines
            .push(format!("files.{} = {}", quoted(path), quoted(text)));
    }
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
