//! Two lists of lines, side by side where they differ.

/// How many lines of each are shown.
const SHOWN: usize = 15;

/// What is between the lines that both begin with and those that both end with.
pub(super) fn differ(wanted: &[&str], is: &[&str]) -> Vec<String> {
    let same = |(one, other): &(&&str, &&str)| one == other;
    let before = wanted.iter().zip(is).take_while(same).count();
    let (wanted, is) = (&wanted[before..], &is[before..]);
    let behind = wanted.iter().rev().zip(is.iter().rev());
    let behind = behind.take_while(same).count();
    let (wanted, is) = (&wanted[..wanted.len() - behind], &is[..is.len() - behind]);
    let mut lines = vec![format!(
        "{before} lines before and {behind} behind are as wanted"
    )];
    for (sign, part) in [("-", wanted), ("+", is)] {
        let shown = part.iter().take(SHOWN);
        lines.extend(shown.map(|line| format!("{sign} {line}")));
        if part.len() > SHOWN {
            lines.push(format!("{sign} and {} more", part.len() - SHOWN));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_differs_is_shown() {
        let shown = differ(&["a", "b", "c"], &["a", "x", "y", "c"]);
        let expected = [
            "1 lines before and 1 behind are as wanted",
            "- b",
            "+ x",
            "+ y",
        ];
        assert_eq!(shown, expected);
        let shown = differ(&["a"], &["a", "a"]);
        assert_eq!(shown, ["1 lines before and 0 behind are as wanted", "+ a"]);
    }
}
