//! A rule of nftables, by the handle that the kernel calls it by.

use super::attribute::{Attribute, find};
use super::dump::{About, Kernel, Kind};
use super::{ChainName, failed};
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::snapshot::SnapshotError;

/// Numbers of attributes, by the names of linux/netfilter/nf_tables.h.
const NFTA_RULE_TABLE: u16 = 1;
const NFTA_RULE_CHAIN: u16 = 2;
const NFTA_RULE_HANDLE: u16 = 3;
const NFTA_RULE_USERDATA: u16 = 7;
/// `NFTNL_UDATA_RULE_COMMENT` in libnftnl/udata.h.
const COMMENT: u8 = 0;

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NftRule {
    /// Which of its chain's, from 1.
    pub number: usize,
    /// What it does, as nft(8) writes it, or its comment; neither may be had.
    pub text: Option<String>,
}

/// That of a handle, with its comment; none where it is gone.
pub fn rule_of(
    sandbox: &Sandbox,
    host: HostId,
    chain: &ChainName,
    handle: u64,
) -> Result<Option<NftRule>, SnapshotError> {
    let socket = sandbox.socket(host, SocketKind::Netfilter)?;
    let mut kernel = Kernel::new(socket).map_err(failed)?;
    let mut number = 0;
    for rule in kernel.dump(Kind::Rule, &About::default()).map_err(failed)? {
        let attributes = rule.attributes().map_err(failed)?;
        let text = |kind| find(&attributes, kind).map(Attribute::text);
        let is_of = text(NFTA_RULE_TABLE).as_ref() == Some(&chain.table)
            && text(NFTA_RULE_CHAIN).as_ref() == Some(&chain.name)
            && super::canonical::family(rule.family) == chain.family;
        if !is_of {
            continue;
        }
        number += 1;
        let told = find(&attributes, NFTA_RULE_HANDLE).map(|it| it.value);
        if told == Some(&handle.to_be_bytes()) {
            let data = find(&attributes, NFTA_RULE_USERDATA);
            let text = data.and_then(|data| comment(data.value));
            return Ok(Some(NftRule { number, text }));
        }
    }
    Ok(None)
}

/// The comment among what nft(8) keeps with a rule: each a type, a length and that many bytes.
fn comment(mut data: &[u8]) -> Option<String> {
    while let [kind, length, rest @ ..] = data {
        let (value, after) = rest.split_at_checked(usize::from(*length))?;
        if *kind == COMMENT {
            let text = value.strip_suffix(&[0]).unwrap_or(value);
            return Some(String::from_utf8_lossy(text).into_owned());
        }
        data = after;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_found_behind_other_data_and_in_none_that_is_cut() {
        assert_eq!(comment(b"\x00\x03no\x00").as_deref(), Some("no"));
        assert_eq!(comment(b"\x01\x01x\x00\x03no\x00").as_deref(), Some("no"));
        assert_eq!(comment(b"\x01\x01x"), None);
        assert_eq!(comment(b"\x00\x09no\x00"), None);
        assert_eq!(comment(b""), None);
    }
}
