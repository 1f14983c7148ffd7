//! What programs say.

use crate::scenario::{Count, Log, Pattern, Prints, Says, Status, StatusValue};
use crate::tell::words::{code, command, time};

pub(super) fn says(says: &Says) -> String {
    let Says { who, text, within } = says;
    format!("within {} {who} has said {}.", time(*within), code(text))
}

pub(super) fn log(log: &Log) -> String {
    let Log {
        who,
        pattern,
        count,
        since_start,
        time: span,
    } = log;
    let span = match count {
        Count::AtLeast(_) => format!("within {}", time(*span)),
        Count::AtMost(_) | Count::Exactly(_) => format!("after {}", time(*span)),
    };
    let since = match since_start {
        true => "since it was started",
        false => "since this step began",
    };
    let lines = match pattern {
        Pattern::Text(text) => format!("with {}", code(text)),
        Pattern::Matches(expression) => format!("like {}", code(expression.0.as_str())),
    };
    let noun = match count {
        Count::AtLeast(1) | Count::AtMost(1) | Count::Exactly(1) => "line",
        Count::AtLeast(_) | Count::AtMost(_) | Count::Exactly(_) => "lines",
    };
    format!("{span} {who} has printed {count} {noun} {lines} {since}.")
}

pub(super) fn status(status: &Status) -> String {
    let Status {
        who,
        pointer,
        wanted,
        within,
    } = status;
    let field = pointer.trim_start_matches('/').replace('/', ".");
    let wanted = match wanted {
        StatusValue::Is(value) => format!("is {}", code(&value.to_string())),
        StatusValue::Counts(count) => format!("is {count}"),
        StatusValue::Matches(expression) => format!("is like {}", code(expression.0.as_str())),
    };
    let within = time(*within);
    format!("within {within} the status of the {who} says that {field} {wanted}.")
}

pub(super) fn prints(prints: &Prints) -> String {
    let Prints {
        on,
        command: line,
        exit,
        text,
        within,
    } = prints;
    let text = match text.trim() {
        "" => "nothing".to_owned(),
        text => format!("{} and nothing else", code(text)),
    };
    let (line, within) = (command(line), time(*within));
    format!("within {within} {line} on {on} prints {text}, and ends with exit code {exit}.")
}
