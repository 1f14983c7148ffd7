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
    /// `question` or `answer`.
    pub what: &'static str,
    /// The chain.
    pub chain: ChainName,
    /// The rule; none where it is the policy.
    pub rule: Option<NftRule>,
}

impl Default for Firewall {
    fn default() -> Self {
        Self::Untraced(Vec::new())
    }
}

/// The rule that the kernel's own trace shows.
pub(super) fn fallen(case: &Case<'_>) -> Option<String> {
    let Firewall::Falls(Fallen { what, chain, rule }) = &case.firewall else {
        return None;
    };
    let does = match &case.fate {
        Some(Fate::Refused(_)) => "refuses",
        _ => "drops",
    };
    let by = match rule {
        Some(rule) => format!("rule {} of {chain}", rule.number),
        None => format!("the policy of {chain}"),
    };
    let text = rule.as_ref().and_then(|rule| rule.text.as_ref());
    let text = text.map_or_else(String::new, |text| format!(": {text}"));
    Some(format!(
        "{} {does} the {what} by {by}, as the kernel traced it when asked again{text}",
        case.host
    ))
}

pub(super) fn cause(case: &Case<'_>) -> Option<String> {
    let Verdict::Leaves { .. } = case.verdict() else {
        return None;
    };
    let stays = case.verdict().link() == Some(IfIndex::LOOPBACK);
    let (hooks, what): (&[Hook], String) = match case.fate.as_ref()? {
        Fate::Lost => return None,
        Fate::Held => (
            &[Hook::Output, Hook::Postrouting],
            "has a way for it, and it never left".to_owned(),
        ),
        Fate::Stranded if stays => (
            &[Hook::Prerouting, Hook::Input],
            "took it in, and nothing came of it".to_owned(),
        ),
        Fate::Stranded => (
            &[Hook::Prerouting, Hook::Forward, Hook::Postrouting],
            "has a way for it, and did not pass it on".to_owned(),
        ),
        Fate::Unanswered => (
            &[
                Hook::Prerouting,
                Hook::Input,
                Hook::Output,
                Hook::Postrouting,
            ],
            "took the question in, has a way back, and sent no answer".to_owned(),
        ),
        Fate::Refused(word) => (
            &Hook::ALL,
            format!("itself refused it ({word}), though its routes do not"),
        ),
    };
    let chains = match (&case.firewall, &case.fate) {
        (Firewall::Untraced(chains), _) => chains,
        (Firewall::Passed, Some(Fate::Unanswered)) => {
            return Some(format!(
                "{} took the question in, its firewall lets it pass, as the kernel traced it when \
                 asked again, and no answer was sent: look at what serves there, and at the counters",
                case.host
            ));
        }
        _ => return None,
    };
    let mut chains = chains.iter().filter(|it| hooks.contains(&it.hook));
    let first = chains.next()?;
    let chains: Vec<String> = [first]
        .into_iter()
        .chain(chains)
        .map(|it| it.name.to_string())
        .collect();
    Some(format!(
        "{} {what}: a firewall there, {}",
        case.host,
        chains.join(", ")
    ))
}
