//! `net.ipv4.ip_forward = 1`

use crate::scenario::read::act::kernel::key_below_net;
use crate::scenario::syntax::Word;

/// Reads a line of sysctl(8).
pub(super) fn setting(line: Word<'_>) -> Option<Vec<(String, Option<String>)>> {
    let Some((key, value)) = line.text.split_once('=') else {
        let wrong = line.wrong(format!("`{}` has no value", line.text));
        return line.refuse(wrong.help("write `net.ipv4.ip_forward = 1`"));
    };
    let key = key_below_net(Word {
        text: key.trim(),
        ..line
    })?;
    // A key with slashes may hold dots in an interface's name (sysctl(8)).
    let key = match key.contains('/') {
        true => key,
        false => key.replace('.', "/"),
    };
    let value = value.split_whitespace().collect::<Vec<_>>().join(" ");
    Some(vec![(key, Some(value))])
}
