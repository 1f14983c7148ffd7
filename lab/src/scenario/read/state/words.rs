//! The words of a line, each with its place.

use std::net::IpAddr;

use ipnet::IpNet;

use super::line::Value;
use crate::scenario::diagnostic::Span;
use crate::scenario::syntax::Word;

/// The words of a line, taken from the front.
pub(super) struct Words<'a> {
    rest: Vec<Word<'a>>,
}

impl<'a> Words<'a> {
    pub(super) fn new(line: Word<'a>) -> Self {
        let mut words = Vec::new();
        let mut at = 0;
        for text in line.text.split_whitespace() {
            let start = at + line.text[at..].find(text).unwrap_or(0);
            at = start + text.len();
            let tail = line.tail(start);
            let end = (tail.span.start + text.len()).min(tail.span.end);
            words.push(Word {
                text,
                span: Span { end, ..tail.span },
                problems: line.problems,
            });
        }
        words.reverse();
        Self { rest: words }
    }

    /// The next word.
    pub(super) fn next(&mut self) -> Option<Word<'a>> {
        self.rest.pop()
    }

    /// The next word, which stays the next.
    pub(super) fn peek(&self) -> Option<Word<'a>> {
        self.rest.last().copied()
    }

    /// Takes the next word if it is this one.
    pub(super) fn take_if(&mut self, text: &str) -> bool {
        let is = self.peek().is_some_and(|word| word.text == text);
        if is {
            self.next();
        }
        is
    }

    /// Reads the words that are left, with their values; gives whether one is of IPv6. None where
    /// one is wrong.
    pub(super) fn rest(
        &mut self,
        known: &[(&'static str, &'static str, Value)],
        what: &str,
        found: &mut Vec<(String, String)>,
    ) -> Option<bool> {
        let mut v6 = false;
        while let Some(word) = self.next() {
            let Some((_, meaning, kind)) = known.iter().find(|(name, ..)| *name == word.text)
            else {
                let wrong = word.wrong(format!("`{}` is no word of a {what}", word.text));
                let names = known.iter().map(|(name, ..)| *name);
                return word.refuse(wrong.meant(word.text, "words", names));
            };
            // A word that is a value at the same time.
            if let Some((meaning, value)) = meaning.split_once('=') {
                found.push((meaning.to_owned(), value.to_owned()));
                continue;
            }
            let value = match kind {
                Value::None => String::new(),
                kind => {
                    let Some(value) = self.next() else {
                        return word.refuse(word.wrong(format!("`{}` needs a value", word.text)));
                    };
                    read(value, *kind)?
                }
            };
            let is_address = matches!(kind, Value::Prefix | Value::Address);
            v6 |= is_address && value.contains(':');
            if found.iter().any(|(known, _)| known == meaning) {
                return word.refuse(word.wrong(format!("`{meaning}` is there twice")));
            }
            found.push(((*meaning).to_owned(), value));
        }
        Some(v6)
    }
}

/// A value as the kernel's snapshot has it.
fn read(word: Word<'_>, kind: Value) -> Option<String> {
    match kind {
        Value::None => Some(String::new()),
        Value::Text => Some(word.text.to_owned()),
        Value::Number => number(word).map(|number| number.to_string()),
        Value::Mark => mark(word),
        Value::Table => table(word),
        Value::Prefix if word.text == "all" => Some("all".to_owned()),
        Value::Prefix => prefix(word),
        Value::Address => match word.text.parse::<IpAddr>() {
            Ok(ip) => Some(ip.to_string()),
            Err(_) => word.refuse(word.wrong(format!("`{}` is no address", word.text))),
        },
    }
}

fn number(word: Word<'_>) -> Option<u32> {
    let parsed = match word.text.strip_prefix("0x") {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => word.text.parse(),
    };
    match parsed {
        Ok(number) => Some(number),
        Err(_) => word.refuse(word.wrong(format!("`{}` is no number", word.text))),
    }
}

/// `0x1` or `0x1/0xff`, as `ip rule` writes it.
fn mark(word: Word<'_>) -> Option<String> {
    let (mark, mask) = match word.text.split_once('/') {
        Some((mark, mask)) => (mark, Some(mask)),
        None => (word.text, None),
    };
    let part = |text| number(Word { text, ..word });
    let mark = part(mark)?;
    Some(match mask.map(part) {
        None | Some(Some(u32::MAX)) => format!("{mark:#x}"),
        Some(mask) => format!("{mark:#x}/{:#x}", mask?),
    })
}

fn table(word: Word<'_>) -> Option<String> {
    if ["main", "local", "default"].contains(&word.text) {
        return Some(word.text.to_owned());
    }
    Some(match number(word)? {
        253 => "default".to_owned(),
        254 => "main".to_owned(),
        255 => "local".to_owned(),
        number => number.to_string(),
    })
}

/// A prefix; an address stands for itself alone, as ip(8) prints it.
pub(super) fn prefix(word: Word<'_>) -> Option<String> {
    let text = address_with_prefix(word)?;
    let net: IpNet = text.parse().ok()?;
    if net.trunc() != net {
        let wrong = word.wrong(format!("`{}` has host bits", word.text));
        return word.refuse(wrong.help(format!("write `{}`", net.trunc())));
    }
    Some(text)
}

/// An address with its prefix length, of which it keeps its host bits.
pub(super) fn address_with_prefix(word: Word<'_>) -> Option<String> {
    let alone = word.text.parse::<IpAddr>().map(IpNet::from);
    match alone.or_else(|_| word.text.parse::<IpNet>()) {
        Ok(net) => Some(net.to_string()),
        Err(_) => word.refuse(word.wrong(format!("`{}` is no address or prefix", word.text))),
    }
}
