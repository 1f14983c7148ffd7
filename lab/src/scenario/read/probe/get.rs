//! What a GET asks for: `path`, `status` and `server-name`.

use super::super::host::{server_name, status};
use super::super::target::Aim;
use super::Way;
use crate::scenario::model::Get;
use crate::scenario::syntax::{Node, Table, optional};

const KEYS: [&str; 3] = ["path", "status", "server-name"];
/// The nonce stands behind it, and a capture looks for that in the first kilobyte.
const LONGEST: usize = 500;

/// A GET as far as it is known without the port.
pub(super) struct Draft(Get);

impl Draft {
    /// The same with the port.
    pub(super) fn at(self, port: u16) -> Get {
        Get { port, ..self.0 }
    }
}

/// Reads what is asked for; nothing where the question is none of HTTP.
pub(super) fn read(table: &Table<'_>, way: Way, aim: Option<&Aim<'_>>) -> Option<Draft> {
    if !matches!(way, Way::Http | Way::Https) {
        for word in KEYS.iter().filter_map(|key| table.key(key)) {
            let wrong = word.wrong(format!("`{}` is of http and https", word.text));
            word.add(wrong.help("add `with = \"http\"`, or remove it"));
        }
        return None;
    }
    let path = optional(table.get("path"), path);
    let status = optional(table.get("status"), status);
    let name = optional(table.get("server-name"), server_name);
    let default = || match aim? {
        Aim::Address(address, None, _) => Some(address.to_string()),
        aim => aim.host().map(ToString::to_string),
    };
    Some(Draft(Get {
        tls: way == Way::Https,
        port: 0,
        path: path?.unwrap_or_else(|| "/".to_owned()),
        name: name?.or_else(default)?,
        status: status?.unwrap_or(200),
    }))
}

/// What the file says of it, as names of expectations have it.
pub(super) fn text(table: &Table<'_>) -> Option<String> {
    let path = table.get("path").and_then(|node| node.value.as_str());
    let status = table.get("status").map(|node| node.value.as_integer());
    let status = status.flatten().map(|status| status.as_str().to_owned());
    let name = table.get("server-name");
    let name = name.and_then(|node| node.value.as_str());
    let said = [
        path.map(str::to_owned),
        status.map(|status| format!("status {status}")),
        name.map(|name| format!("as {name}")),
    ];
    let said: Vec<String> = said.into_iter().flatten().collect();
    (!said.is_empty()).then(|| said.join(", "))
}

/// The path of a URL with its query, as it goes over the wire (RFC 9112, 3.2.1).
fn path(node: Node<'_>) -> Option<String> {
    let word = node.word()?;
    let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'#';
    if word.text.starts_with('/') && word.text.bytes().all(plain) && word.text.len() <= LONGEST {
        return Some(word.text.to_owned());
    }
    let wrong = word.wrong(format!("`{}` is no path of a URL", word.text));
    word.refuse(wrong.help(format!(
        "begin it with `/`, and write at most {LONGEST} characters of ASCII, others as %XX"
    )))
}
