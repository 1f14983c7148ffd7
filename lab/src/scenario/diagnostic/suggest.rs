//! The name that was probably meant.

/// The candidate nearest to `text`, if one is near enough to be a slip of the hand.
pub(crate) fn nearest<'n>(text: &str, candidates: &[&'n str]) -> Option<&'n str> {
    let length = text.chars().count();
    let allowed = if length < 3 { 0 } else { length / 3 };
    candidates
        .iter()
        .map(|candidate| (distance(text, candidate), *candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The names in backticks, with commas between them.
pub(crate) fn quoted<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// How many characters must be added, dropped, replaced or swapped with a neighbour.
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.to_lowercase().chars().collect();
    let b: Vec<char> = b.to_lowercase().chars().collect();
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    rows[0] = (0..=b.len()).collect();
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let replaced = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = least;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name() {
        let hosts = ["laptop", "printer", "web"];
        assert_eq!(nearest("latpop", &hosts), Some("laptop"));
        assert_eq!(nearest("Printer", &hosts), Some("printer"));
        assert_eq!(nearest("wbe", &hosts), Some("web"));
    }

    #[test]
    fn another_word_finds_none() {
        assert_eq!(nearest("router", &["laptop", "web"]), None);
        assert_eq!(nearest("x", &[]), None);
    }
}
