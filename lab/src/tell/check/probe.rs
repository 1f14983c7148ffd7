//! Questions.

use crate::scenario::{Get, Load, Probe, ProbeProtocol, Sender, Target};
use crate::tell::words::{code, list};

/// Who is asked: `web (203.0.113.80)`.
pub(super) fn target(probe: &Probe) -> String {
    match (&probe.to, &probe.address) {
        (Some(host), Target::Fixed(address)) => format!("{host} ({address})"),
        (None, Target::Fixed(address)) => address.to_string(),
        (_, Target::Given(given)) => {
            format!("{} at the address that {} has", given.host, given.link)
        }
    }
}

/// How: `by TCP to port 80`.
pub(super) fn manner(probe: &Probe) -> String {
    let Probe {
        from: _,
        to: _,
        address: _,
        protocol,
        sender,
        load,
    } = probe;
    let mut said = vec![by(protocol)];
    said.extend(content(*load));
    said.extend(socket(sender));
    said.join(", ")
}

fn by(protocol: &ProbeProtocol) -> String {
    let get = match protocol {
        ProbeProtocol::Icmp => return "by ping".to_owned(),
        ProbeProtocol::Tcp(port) => return format!("by TCP to port {port}"),
        ProbeProtocol::Udp(port) => return format!("by UDP to port {port}"),
        ProbeProtocol::Web(get) => get.as_ref(),
    };
    let Get {
        tls,
        port,
        path,
        name,
        status,
    } = get;
    let scheme = if *tls { "HTTPS" } else { "HTTP" };
    let status = match status {
        200 => String::new(),
        status => format!(", with the status {status}"),
    };
    format!(
        "by {scheme} to port {port} for {} of {name}{status}",
        code(path)
    )
}

fn content(load: Load) -> Vec<String> {
    let Load { size, whole, bulk } = load;
    let mut said = Vec::new();
    said.extend(size.map(|bytes| format!("with {bytes} bytes")));
    if whole {
        said.push("in one piece".to_owned());
    }
    said.extend(bulk.map(|bulk| format!("with a transfer of {bulk}")));
    said
}

fn socket(sender: &Sender) -> Option<String> {
    let Sender {
        source,
        mark,
        uid,
        cgroup,
    } = sender;
    let all = [
        source.map(|it| format!("the address {it}")),
        mark.map(|it| format!("the mark {it}")),
        uid.map(|it| format!("the user {it}")),
        cgroup.as_ref().map(|it| format!("the control group {it}")),
    ];
    let all: Vec<String> = all.into_iter().flatten().collect();
    (!all.is_empty()).then(|| format!("from a socket with {}", list(all)))
}
