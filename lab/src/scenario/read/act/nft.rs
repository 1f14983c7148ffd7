//! `nft`

use crate::scenario::model::NftRuleset;
use crate::scenario::read::Lab;
use crate::scenario::syntax::Node;

/// The program that loads rulesets, as `needs` names it.
const NFT: &str = "nft";

/// Reads a ruleset that is loaded.
pub(crate) fn nft(node: Node<'_>, lab: &Lab) -> Option<NftRuleset> {
    let table = node.table("`nft`", &["on", "ruleset"])?;
    let on = super::on(&table, lab);
    let text = table
        .need("ruleset", "\"add table inet vpn\"")
        .and_then(Node::text);
    if !lab.needs.iter().any(|program| program == NFT) {
        let wrong = table.wrong("not every machine has the program nft, which loads a ruleset");
        return table.refuse(wrong.help("add `needs = [\"nft\"]` at the top of the file"));
    }
    Some(NftRuleset {
        on: on?,
        text: text?,
    })
}
