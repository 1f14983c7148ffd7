//! What a customer runs on a host of his own, so that the lab can rebuild it.

/// The script, with its comments: plain POSIX sh.
pub const SCRIPT: &str = include_str!("collect.sh");

/// The same as one line that can be pasted into a shell: without comments, in single quotes.
///
/// Each line of the script is whole commands, so that they may stand behind each other.
pub fn one_line() -> String {
    let lines = SCRIPT.lines().map(str::trim);
    let commands: Vec<&str> = lines
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect();
    format!("sh -c '{}'", commands.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_has_no_quote_that_would_end_it() {
        let line = one_line();
        assert_eq!(line.matches('\'').count(), 2, "{line}");
        assert!(!line.contains('\n'));
    }
}
