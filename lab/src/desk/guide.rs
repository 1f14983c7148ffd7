//! What is printed when a lab is held: its hosts, and how to enter them.

use super::protocol::{HostLook, LinkLook, Look, Phase, TunnelLook, TunnelState};

/// The hosts with their links and addresses, the tunnel, and the commands.
pub(super) fn lines(look: &Look) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(hosts(&look.hosts));
    lines.extend(look.tunnel.as_ref().map(tunnel));
    lines.push(String::new());
    lines.extend(commands(look));
    lines
}

/// One line for each link: host, link, net, addresses.
fn hosts(hosts: &[HostLook]) -> Vec<String> {
    let mut rows = Vec::new();
    for host in hosts {
        let none = host.links.is_empty().then(|| row(&host.name, None));
        rows.extend(none);
        for (number, link) in host.links.iter().enumerate() {
            let name = if number == 0 { host.name.as_str() } else { "" };
            rows.push(row(name, Some(link)));
        }
    }
    table(&rows)
}

fn row(host: &str, link: Option<&LinkLook>) -> Vec<String> {
    let Some(link) = link else {
        return vec![host.to_owned(), "no link".to_owned()];
    };
    let mut last: Vec<String> = link.addresses.iter().map(ToString::to_string).collect();
    if !link.up {
        last.push("(down)".to_owned());
    }
    let net = link.net.as_deref().unwrap_or("-");
    vec![
        host.to_owned(),
        link.name.clone(),
        net.to_owned(),
        last.join("  "),
    ]
}

/// Rows with columns as wide as they need.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths);
        let cells: Vec<String> = cells
            .map(|(cell, &width)| format!("{cell:width$}"))
            .collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}

/// The tunnel in one line.
pub fn tunnel(tunnel: &TunnelLook) -> String {
    let state = match tunnel.state {
        TunnelState::Up => "up",
        TunnelState::Down => "down",
    };
    let (client, server) = (&tunnel.client, &tunnel.server);
    let carriers = match tunnel.carriers {
        Some(1) => ", 1 carrier".to_owned(),
        Some(number) => format!(", {number} carriers"),
        None => String::new(),
    };
    format!(
        "tunnel {state}: {}:{} - {}:{}{carriers}",
        client.host, client.device, server.host, server.device
    )
}

/// How to enter it, go on and end it, with names of this lab.
fn commands(look: &Look) -> Vec<String> {
    let lab = &look.lab;
    let mut rows = Vec::new();
    let mut say = |command: String, what: &str| rows.push(vec![command, what.to_owned()]);
    let client = look.tunnel.as_ref().map(|tunnel| &tunnel.client.host);
    let mut linked = look.hosts.iter().filter(|host| !host.links.is_empty());
    let host = linked.clone().find(|host| Some(&host.name) == client);
    if let Some(host) = host.or_else(|| linked.next()) {
        let (name, link) = (&host.name, &host.links[0].name);
        say(
            format!("fps-lab shell {name} --lab {lab}"),
            "a shell in a host",
        );
        say(
            format!("fps-lab exec {name} --lab {lab} -- ip route"),
            "one command",
        );
        say(
            format!("fps-lab capture {name} {link} --lab {lab} | wireshark -k -i -"),
            "its packets",
        );
    }
    match look.state {
        Phase::Paused => {
            say(
                format!("fps-lab resume {lab}"),
                "goes on, and so does Enter here",
            );
            say(format!("fps-lab down {lab}"), "ends this play");
        }
        _ => say(format!("fps-lab down {lab}"), "ends it"),
    }
    table(&rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["a", "long", "x"]), row(["wide", "b", ""])];
        assert_eq!(table(&rows), ["a     long  x", "wide  b"]);
    }
}
