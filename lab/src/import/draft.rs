//! A scenario that is being written, and its text.

use std::collections::BTreeSet;
use std::fmt::Write;

use ipnet::{Ipv4Net, Ipv6Net};

/// A value as TOML writes it.
pub(super) fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

/// A list of texts as TOML writes it.
pub(super) fn list<T: ToString>(texts: impl IntoIterator<Item = T>) -> String {
    let texts = texts.into_iter().map(|text| quoted(&text.to_string()));
    format!("[{}]", texts.collect::<Vec<_>>().join(", "))
}

/// A key as TOML writes it: links may have dots in their names.
pub(super) fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    match !text.is_empty() && text.chars().all(bare) {
        true => text.to_owned(),
        false => quoted(text),
    }
}

/// A table in one line.
#[derive(Clone, Debug, Default)]
pub(super) struct Inline(Vec<String>);

impl Inline {
    /// A text.
    pub(super) fn text(self, name: &str, value: impl ToString) -> Self {
        self.raw(name, quoted(&value.to_string()))
    }

    /// A text, if there is one.
    pub(super) fn some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.text(name, value),
            None => self,
        }
    }

    /// What is written as it is: a number, a list.
    pub(super) fn raw(mut self, name: &str, value: impl ToString) -> Self {
        self.0
            .push(format!("{} = {}", key(name), value.to_string()));
        self
    }

    /// The same, if there is one.
    pub(super) fn raw_some(self, name: &str, value: Option<impl ToString>) -> Self {
        match value {
            Some(value) => self.raw(name, value),
            None => self,
        }
    }

    /// As it stands in a file.
    pub(super) fn write(&self) -> String {
        format!("{{ {} }}", self.0.join(", "))
    }

    /// As the value of a verb: an act, an expectation.
    pub(super) fn of(&self, verb: &str) -> String {
        format!("{{ {verb} = {} }}", self.write())
    }
}

/// A net.
#[derive(Clone, Debug)]
pub(super) struct NetDraft {
    pub(super) name: String,
    pub(super) comment: Option<String>,
    pub(super) v4: Option<Ipv4Net>,
    pub(super) v6: Option<Ipv6Net>,
    pub(super) may_overlap: bool,
}

/// A host, of which each line stands as it is.
#[derive(Clone, Debug, Default)]
pub(super) struct HostDraft {
    pub(super) name: String,
    pub(super) comments: Vec<String>,
    pub(super) lines: Vec<String>,
    /// Tables of its own, which come behind.
    pub(super) tables: Vec<String>,
}

/// A step.
#[derive(Clone, Debug, Default)]
pub(super) struct StepDraft {
    pub(super) name: String,
    pub(super) comments: Vec<String>,
    pub(super) acts: Vec<String>,
    pub(super) expect: Vec<String>,
}

impl StepDraft {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }
}

/// The whole.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) title: String,
    pub(super) comments: Vec<String>,
    pub(super) needs: BTreeSet<&'static str>,
    pub(super) nets: Vec<NetDraft>,
    pub(super) hosts: Vec<HostDraft>,
    pub(super) steps: Vec<StepDraft>,
    /// What stands at the end as comments.
    pub(super) ending: Vec<String>,
}

impl Draft {
    /// The text of the file.
    pub(super) fn write(&self) -> String {
        let mut text = String::new();
        comments(&mut text, &self.comments);
        text.push('\n');
        put(&mut text, &format!("title    = {}", quoted(&self.title)));
        if !self.needs.is_empty() {
            put(&mut text, &format!("needs    = {}", list(&self.needs)));
        }
        put(&mut text, "sabotage = []");
        let why = "it is what a customer's host is like: it has nothing to prove yet";
        put(&mut text, &format!("why      = {}", quoted(why)));
        for net in &self.nets {
            self.net(&mut text, net);
        }
        for host in &self.hosts {
            text.push('\n');
            comments(&mut text, &host.comments);
            put(&mut text, &format!("[host.{}]", key(&host.name)));
            host.lines.iter().for_each(|line| put(&mut text, line));
            for table in &host.tables {
                text.push('\n');
                put(&mut text, table);
            }
        }
        let steps = self.steps.iter();
        for step in steps.filter(|it| !it.acts.is_empty() || !it.expect.is_empty()) {
            text.push('\n');
            comments(&mut text, &step.comments);
            put(&mut text, "[[step]]");
            put(&mut text, &format!("name = {}", quoted(&step.name)));
            array(&mut text, "do", &step.acts);
            array(&mut text, "expect", &step.expect);
        }
        if !self.ending.is_empty() {
            text.push('\n');
            comments(&mut text, &self.ending);
        }
        text
    }

    fn net(&self, text: &mut String, net: &NetDraft) {
        text.push('\n');
        comments(text, net.comment.as_slice());
        put(text, &format!("[net.{}]", key(&net.name)));
        if let Some(v4) = net.v4 {
            put(text, &format!("v4 = \"{v4}\""));
        }
        if let Some(v6) = net.v6 {
            put(text, &format!("v6 = \"{v6}\""));
        }
        if net.may_overlap {
            put(text, "may-overlap = true");
        }
    }
}

fn put(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a String grows");
}

fn comments(text: &mut String, lines: &[String]) {
    for line in lines {
        // A comment of TOML takes no control characters but the tab.
        let line: String = line.chars().filter(|c| !c.is_control()).collect();
        put(text, format!("# {line}").trim_end());
    }
}

fn array(text: &mut String, name: &str, items: &[String]) {
    match items {
        [] => {}
        [one] => put(text, &format!("{name} = {one}")),
        many => {
            put(text, &format!("{name} = ["));
            many.iter()
                .for_each(|item| put(text, &format!("  {item},")));
            put(text, "]");
        }
    }
}
