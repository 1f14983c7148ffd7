//! The ruleset of nftables, as an act.

use super::draft::{Inline, quoted};
use crate::dump::{Dump, Remarks};

/// How long a ruleset may be.
const LONGEST: usize = 1 << 20;

/// The act `nft`; none where there is no ruleset.
pub(super) fn act(host: &str, dump: &Dump, remarks: &mut Remarks) -> Option<String> {
    if dump.nft.trim().is_empty() {
        return None;
    }
    if let Some(why) = too_long(dump) {
        remarks.add(why);
        return None;
    }
    let mut text = String::new();
    for line in dump.nft.lines() {
        match fate(line) {
            None => {
                text.push_str(line);
                text.push('\n');
            }
            Some(why) => remarks.add(format!(
                "a line of the firewall is left out ({why}): {}",
                line.trim()
            )),
        }
    }
    let plain = |c: char| !c.is_control() || c == '\n' || c == '\t';
    // A literal text of TOML has no escapes, so that the ruleset is there as nft(8) prints it.
    let text = match !text.contains("'''") && text.chars().all(plain) {
        true => format!("'''\n{text}'''"),
        false => quoted(&text),
    };
    Some(
        Inline::default()
            .text("on", host)
            .raw("ruleset", text)
            .of("nft"),
    )
}

/// Why a ruleset is left out as a whole, if it is.
pub(super) fn too_long(dump: &Dump) -> Option<&'static str> {
    (dump.nft.len() > LONGEST).then_some("the ruleset of nftables is left out: it is too long")
}

/// Why a line cannot be loaded, if it cannot.
fn fate(line: &str) -> Option<&'static str> {
    let first = line.split_whitespace().next().unwrap_or_default();
    let is_xt =
        |pair: &[&str]| pair[0] == "xt" && ["match", "target", "watcher"].contains(&pair[1]);
    // Each second part is between quotes.
    let unquoted: Vec<&str> = line.split('"').step_by(2).collect();
    let words: Vec<&str> = unquoted
        .iter()
        .flat_map(|part| part.split_whitespace())
        .collect();
    if words.windows(2).any(is_xt) {
        return Some("of iptables, which nft(8) shows and does not take");
    }
    // A listing has none of these; they would read other files.
    match ["include", "define", "redefine", "undefine"].contains(&first) {
        true => Some("no line of a listing"),
        false => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_iptables_alone_understands_is_left_out() {
        for line in [
            "\t\txt match \"set\" counter packets 0 bytes 0 meta mark set 0x00000001",
            "\t\tip daddr 10.0.0.1 xt target \"TPROXY\"",
            "\t\tether type arp xt watcher \"log\"",
        ] {
            assert!(fate(line).is_some(), "{line}");
        }
        for line in [
            "\t\tip daddr 10.0.0.1 drop comment \"no xt match here\"",
            "\tchain xt {",
        ] {
            assert!(fate(line).is_none(), "{line}");
        }
    }
}
