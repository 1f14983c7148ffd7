//! The names that a file gives to things.

use fps_netlink::LinkName;

use super::Word;

impl Word<'_> {
    /// Checks the name of a host, net or program: a DNS label, since a host answers to it and a
    /// program's log file bears it.
    pub(crate) fn check_label(&self, what: &str) {
        let text = self.text;
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let reason = if text.is_empty() {
            "it is empty".to_owned()
        } else if text.len() > 63 {
            format!("it has {} characters, and 63 are the most", text.len())
        } else if text.starts_with('-') || text.ends_with('-') {
            "it begins or ends with a hyphen".to_owned()
        } else if let Some(c) = text.chars().find(|c| !plain(*c)) {
            format!("it holds `{c}`")
        } else {
            return;
        };
        let wrong = self
            .wrong(format!("`{text}` is no name for a {what}"))
            .label(reason);
        let wrong = wrong.note("a name is lower-case letters, digits and hyphens");
        let lower = text.to_lowercase().replace('_', "-");
        let is_name = lower != text && lower.chars().all(plain) && !lower.starts_with('-');
        let is_name = is_name && !lower.ends_with('-');
        self.add(wrong.help_if(is_name.then(|| format!("write `{lower}`"))));
    }

    /// An interface's name.
    pub(crate) fn link_name(&self) -> Option<LinkName> {
        match LinkName::new(self.text) {
            Ok(name) if name.as_str() == "lo" => {
                let wrong = self.wrong("`lo` is every host's loopback device");
                self.refuse(wrong.label("name another link"))
            }
            Ok(name) => Some(name),
            Err(error) => self.refuse(self.wrong(error.to_string())),
        }
    }
}

/// Whether a text is a host name with dots, as /etc/hosts takes it.
pub(crate) fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}
