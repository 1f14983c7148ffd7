//! What a host's kernel has.

use super::when;
use crate::scenario::{Changes, Count, Counter, Kernel, KernelLine, ObjectKind, Since, Unchanged};
use crate::tell::words::{code, list, time};

pub(super) fn kernel(kernel: &Kernel) -> String {
    let Kernel {
        on,
        present,
        absent,
        when: held,
    } = kernel;
    let there = (!present.is_empty()).then(|| format!("has {}", lines(present)));
    let gone = (!absent.is_empty()).then(|| format!("does not have {}", lines(absent)));
    let all = list(there.into_iter().chain(gone));
    format!("{} {on} {all}.", when(*held))
}

fn lines(lines: &[KernelLine]) -> String {
    list(lines.iter().map(|line| {
        let noun = match line.kind {
            ObjectKind::Rule => "the rule",
            ObjectKind::Route => "the route",
            ObjectKind::Address => "the address",
            ObjectKind::Link => "the link",
            ObjectKind::Sysctl => "the sysctl",
        };
        format!("{noun} {}", code(&line.text))
    }))
}

pub(super) fn unchanged(unchanged: &Unchanged) -> String {
    let Unchanged {
        on,
        since,
        except,
        within,
    } = unchanged;
    let since = match since {
        Since::Start => "before the first step".to_owned(),
        Since::Step(name) => format!("at the end of the step `{name}`"),
    };
    let except = match except.is_empty() {
        true => String::new(),
        false => format!(", but for {}", list(except)),
    };
    let within = time(*within);
    format!("within {within} the network of {on} is as it was {since}{except}.")
}

pub(super) fn counter(counter: &Counter) -> String {
    let Counter {
        on,
        counter,
        count,
        time: span,
    } = counter;
    let span = match count {
        Count::AtLeast(_) => format!("within {}", time(*span)),
        Count::AtMost(_) | Count::Exactly(_) => format!("until {} later", time(*span)),
    };
    format!("{span} {on} has counted {count} for {counter} in this step.")
}

pub(super) fn changes(changes: &Changes) -> String {
    let Changes { on, lines } = changes;
    let lines = lines.iter().map(|line| code(&line.to_string()));
    let all = match lines.len() {
        0 => "nothing".to_owned(),
        _ => format!("{}, in this order, and nothing else", list(lines)),
    };
    format!("while the acts are done programs change in the network of {on} {all}.")
}
