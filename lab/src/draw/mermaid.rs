//! The picture as a Mermaid flowchart, which many forges and wikis show.

use std::fmt::Write as _;

use super::Plan;

/// A lab as a Mermaid flowchart.
pub fn mermaid(plan: &Plan) -> String {
    let mut out = "flowchart LR\n".to_owned();
    let mut line = |text: std::fmt::Arguments<'_>| {
        writeln!(out, "  {text}").expect("a String grows");
    };
    for (number, net) in plan.nets.iter().enumerate() {
        let lines: Vec<&str> = [&net.name]
            .into_iter()
            .chain(&net.subnets)
            .map(String::as_str)
            .collect();
        line(format_args!("net{number}([\"{}\"])", label(&lines)));
    }
    for (number, host) in plan.hosts.iter().enumerate() {
        let lines: Vec<&str> = [&host.name]
            .into_iter()
            .chain(&host.notes)
            .map(String::as_str)
            .collect();
        line(format_args!("host{number}[\"{}\"]", label(&lines)));
    }
    for (number, host) in plan.hosts.iter().enumerate() {
        for link in &host.links {
            let arrow = match (link.later, link.carries) {
                (true, _) => "-.-",
                (_, true) => "===",
                _ => "---",
            };
            let text = label(&[&link.label(), &link.short]);
            line(format_args!(
                "host{number} {arrow}|\"{text}\"| net{}",
                link.net
            ));
        }
    }
    if let Some(tunnel) = &plan.tunnel {
        let ends = [&tunnel.client, &tunnel.server];
        let mut lines = vec![tunnel.name.as_str()];
        lines.extend(ends.iter().flat_map(|end| &end.lines).map(String::as_str));
        let [client, server] = ends.map(|end| end.host);
        line(format_args!(
            "host{client} <-.->|\"{}\"| host{server}",
            label(&lines)
        ));
    }
    out
}

/// Lines of a label. Mermaid reads HTML entities, which it writes with `#` for `&`.
fn label(lines: &[&str]) -> String {
    let escaped = lines
        .iter()
        .filter(|line| !line.is_empty())
        .map(|line| escape(line));
    escaped.collect::<Vec<_>>().join("<br/>")
}

fn escape(text: &str) -> String {
    let mut out = String::new();
    for sign in text.chars() {
        match sign {
            '"' => out += "#quot;",
            '<' => out += "#lt;",
            '>' => out += "#gt;",
            '#' => out += "#35;",
            '&' => out += "#amp;",
            sign => out.push(sign),
        }
    }
    out
}
