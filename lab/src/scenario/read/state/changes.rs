//! `changes`

use super::line;
use crate::scenario::model::{ChangeLine, ChangeVerb, Changes, Check, Expectation, ObjectKind};
use crate::scenario::read::expect::name;
use crate::scenario::read::{Lab, Names, Verb};
use crate::scenario::syntax::Node;

/// What a line begins with.
const VERBS: [(&str, ChangeVerb); 5] = [
    ("add", ChangeVerb::Add),
    ("replace", ChangeVerb::Replace),
    ("append", ChangeVerb::Append),
    ("delete", ChangeVerb::Delete),
    ("set", ChangeVerb::Set),
];

/// What comes behind that.
const KINDS: [(&str, ObjectKind); 4] = [
    ("rule", ObjectKind::Rule),
    ("route", ObjectKind::Route),
    ("address", ObjectKind::Address),
    ("link", ObjectKind::Link),
];

/// Reads `changes`.
pub(crate) fn changes(verb: Verb<'_>, lab: &Lab, names: &mut Names) -> Option<Expectation> {
    let table = verb.node.table("`changes`", &["name", "on", "lines"])?;
    let on_word = table.need("on", "\"laptop\"").and_then(Node::word);
    let canonical = on_word.map(|on| format!("changes of {}", on.text));
    let name = name(&table, "name", verb, canonical, names);
    let lines = table.need("lines", "[\"add route 10.0.0.0/8 dev fpsc0\"]");
    // All of them, so that each mistake is told.
    let lines: Vec<Option<ChangeLine>> = lines?.one_or_many().into_iter().map(change).collect();
    let lines: Option<Vec<ChangeLine>> = lines.into_iter().collect();
    let on = lab.host(on_word?)?;
    let lines = lines?;
    Some(Expectation {
        name: name?,
        check: Check::Changes(Changes { on, lines }),
    })
}

/// `add rule 10000: from all lookup 100`
fn change(node: Node<'_>) -> Option<ChangeLine> {
    let line = node.word()?;
    let mut parts = line.text.splitn(3, ' ');
    let (first, second, object) = (parts.next(), parts.next(), parts.next());
    let verb = VERBS.iter().find(|(word, _)| Some(*word) == first);
    let kind = KINDS.iter().find(|(word, _)| Some(*word) == second);
    let (Some((_, verb)), Some((_, kind)), Some(object)) = (verb, kind, object) else {
        let wrong = line.wrong(format!("`{}` is no change", line.text));
        let help = "write `add`, `replace`, `append`, `delete` or `set`, then `rule`, `route`, `address` \
                    or `link`, then the object: `add route 10.0.0.0/8 dev fpsc0`";
        return line.refuse(wrong.help(help));
    };
    let fits = match verb {
        ChangeVerb::Add | ChangeVerb::Delete => true,
        ChangeVerb::Replace | ChangeVerb::Append => *kind == ObjectKind::Route,
        ChangeVerb::Set => *kind == ObjectKind::Link,
    };
    if !fits {
        let wrong = line.wrong(format!("`{verb}` does not go with `{kind}`"));
        return line.refuse(wrong.help("routes are replaced and appended, links are set"));
    }
    let object = line.tail(line.text.len() - object.len());
    Some(ChangeLine {
        verb: *verb,
        object: line::wanted_word(object, *kind)?,
    })
}
