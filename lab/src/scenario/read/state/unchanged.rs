//! `unchanged`

use fps_netlink::LinkName;

use crate::scenario::model::{Check, Expectation, Since, Unchanged};
use crate::scenario::read::expect::{DEFAULT_WITHIN, name};
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::Node;

/// Reads `unchanged`.
pub(crate) fn unchanged(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let keys = ["name", "on", "since", "except", "within"];
    let table = verb.node.table("`unchanged`", &keys)?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let since = table
        .need("since", "\"start\"")
        .and_then(|node| since(node, lab));
    let canonical = on_word
        .zip(since.as_ref())
        .map(|(on, since)| format!("{} unchanged since {since}", on.text));
    let name = name(&table, "name", verb, canonical, names);
    let within = table
        .get("within")
        .map_or(Some(DEFAULT_WITHIN), Node::duration);
    let on = lab.host(on_word?)?;
    let except = table.get("except").map(Node::one_or_many);
    let except = except.unwrap_or_default().into_iter().map(|node| {
        let word = node.word()?;
        lab.interface(&on, word)
    });
    let except: Vec<Option<LinkName>> = except.collect();
    let except: Option<Vec<LinkName>> = except.into_iter().collect();
    Some(Expectation {
        name: name?,
        check: Check::Unchanged(Unchanged {
            on,
            since: since?,
            except: except?,
            within: within?,
        }),
    })
}

/// `"start"`, or an earlier step by its number or name.
fn since(node: Node<'_>, lab: &Lab) -> Option<Since> {
    let earlier = &lab.earlier;
    let step = if node.value.as_integer().is_some() {
        let number = node.integer("step's number", 1..=i64::from(u16::MAX))?;
        let step = earlier
            .iter()
            .find(|step| step.number.and_then(|it| i64::try_from(it).ok()) == Some(number));
        match step {
            Some(step) => step,
            None => {
                let wrong = node.wrong(format!("step {number} is no earlier step"));
                return node.refuse(wrong.label("nothing can be as it will be"));
            }
        }
    } else {
        let word = node.word()?;
        if word.text == "start" {
            return Some(Since::Start);
        }
        match earlier.iter().find(|step| step.name == word.text) {
            Some(step) => step,
            None => {
                let names = earlier.iter().map(|step| step.name.as_str());
                let wrong = word.wrong(format!("`{}` is no earlier step", word.text));
                return word.refuse(wrong.meant(word.text, "moments", names.chain(["start"])));
            }
        }
    };
    if step.dropped {
        let wrong = node.wrong(format!("this sabotage drops `{}`", step.name));
        return node.refuse(wrong.label("nothing can be as it left it"));
    }
    Some(Since::Step(step.name.clone()))
}
