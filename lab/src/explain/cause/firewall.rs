//! A packet that a host has a way for, and that it dropped or refused all the same.

use fps_netlink::{IfIndex, Verdict};

use super::{Case, Fate};
use crate::snapshot::{FilterChain, Hook};

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
    let mut chains = case.filters.iter().filter(|it| hooks.contains(&it.hook));
    let first = chains.next()?;
    let chains: Vec<String> = [first]
        .into_iter()
        .chain(chains)
        .map(FilterChain::to_string)
        .collect();
    Some(format!(
        "{} {what}: a firewall there, {}",
        case.host,
        chains.join(", ")
    ))
}
