//! What is to be said of a dump: what was not understood, and what is not reproduced.

/// How many are kept, and how long one is.
const MOST: usize = 200;
const LONGEST: usize = 300;

/// Remarks, each once, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remarks {
    lines: Vec<String>,
    more: usize,
}

impl Remarks {
    /// Says something, in one line.
    pub fn add(&mut self, text: impl Into<String>) {
        let text: String = text.into();
        let plain = text.chars().map(|c| if c.is_control() { ' ' } else { c });
        let text: String = plain.take(LONGEST).collect();
        if self.lines.contains(&text) {
            return;
        }
        match self.lines.len() < MOST {
            true => self.lines.push(text),
            false => self.more += 1,
        }
    }

    /// All of them.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        let more = (self.more > 0).then(|| format!("and {} more such remarks", self.more));
        self.lines.iter().cloned().chain(more)
    }
}
