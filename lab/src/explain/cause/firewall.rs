//! A packet that a host has a way for, and that it dropped or refused all the same.

use fps_netlink::{IfIndex, Verdict};

use super::{Case, Fate};
use crate::snapshot::{ChainName, FilterChain, Hook, NftRule};

/// What the nftables of a host do with a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Firewall {
    /// Nobody has traced it: these chains may have dropped or refused it.
    Untraced(Vec<FilterChain>),
    /// It went through all that saw it.
    Passed,
    /// It fell to a rule or a policy.
    Falls(Fallen),
}

/// What a packet fell to, when the question was asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fallen {
    /// `question` or `answer`, or `packet` of one where NAT lets nobody tell.
    pub what: &'static str,
    /// The chain.
    pub chain: ChainName,
    /// What of the chain.
    pub by: FallenBy,
}

/// What of a chain a packet fell to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FallenBy {
    /// A rule of it.
    Rule(NftRule),
    /// A rule that was gone when it was read.
    LostRule,
    /// Its policy.
    Policy,
}

impl Default for Firewall {
    fn default() -> Self {
        Self::Untraced(Vec::new())
    }
}

/// The rule that the kernel's own trace shows.
pub(super) fn fallen(case: &Case<'_>) -> Option<String> {
    let Firewall::Falls(Fallen { what, chain, by }) = &case.firewall else {
        return None;
    };
    let does = match &case.fate {
        Some(Fate::Refused(_)) => "refuses",
        _ => "drops",
    };
    let (by, text) = match by {
        FallenBy::Rule(rule) => (format!("rule {}", rule.number), rule.text.as_ref()),
        FallenBy::LostRule => ("a rule, gone since,".to_owned(), None),
        FallenBy::Policy => ("the policy".to_owned(), None),
    };
    let text = text.map_or_else(String::new, |text| format!(": {text}"));
    Some(format!(
        "{} {does} the {what} by {by} of {chain}, as the kernel traced it when asked again{text}",
        case.host
    ))
}

/// Where no rule is known: the chains that may have done it, or that none has.
pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let Verdict::Leaves { .. } = case.verdict() else {
        return None;
    };
    let (host, fate) = (&case.host, case.fate.as_ref()?);
    let chains = match &case.firewall {
        Firewall::Untraced(chains) => chains,
        Firewall::Passed if *fate == Fate::Unanswered => {
            return Some(format!(
                "{host} took the question in, its firewall lets it pass, as the kernel traced it when \
                 asked again, and no answer was sent: look at what serves there, and at the counters"
            ));
        }
        Firewall::Passed | Firewall::Falls(_) => return None,
    };
    let (hooks, what) = befell(fate, case.verdict().link() == Some(IfIndex::LOOPBACK))?;
    let on_its_way = chains.iter().filter(|it| hooks.contains(&it.hook));
    let names: Vec<String> = on_its_way.map(|it| it.name.to_string()).collect();
    let names = names.join(", ");
    (!names.is_empty()).then(|| format!("{host} {what}: a firewall there, {names}"))
}

/// The hooks that may have done it, and what that looks like; `stays` says whether the packet is for the host
/// itself.
fn befell(fate: &Fate, stays: bool) -> Option<(&'static [Hook], String)> {
    use Hook::{Forward, Input, Output, Postrouting, Prerouting};
    let (hooks, what): (&[Hook], &str) = match fate {
        Fate::Lost => return None,
        Fate::Held => (
            &[Output, Postrouting],
            "has a way for it, and it never left",
        ),
        Fate::Stranded if stays => (&[Prerouting, Input], "took it in, and nothing came of it"),
        Fate::Stranded => (
            &[Prerouting, Forward, Postrouting],
            "has a way for it, and did not pass it on",
        ),
        Fate::Unanswered => (
            &[Prerouting, Input, Output, Postrouting],
            "took the question in, has a way back, and sent no answer",
        ),
        Fate::Refused(word) => {
            let what = format!("itself refused it ({word}), though its routes do not");
            return Some((&Hook::ALL, what));
        }
    };
    Some((hooks, what.to_owned()))
}
