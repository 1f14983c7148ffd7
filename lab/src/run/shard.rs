//! A part of the scenario files, for one of several machines.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the scenario files: every `of`-th of them, from the one with this number on. So the parts
/// differ by one file at most, and the files of a folder, which are of one theme, are spread over them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Shard {
    /// Which part, from 1.
    pub number: usize,
    /// Of how many.
    pub of: usize,
}

/// A text that names no part.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no shard: write 2/4 for the second of four, from 1/4 to 4/4")]
pub struct NoShard(String);

impl Shard {
    /// The files of this part, in their order.
    pub fn pick<T>(self, files: Vec<T>) -> Vec<T> {
        let rest = files.into_iter().skip(self.number - 1);
        rest.step_by(self.of).collect()
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let wrong = || NoShard(text.to_owned());
        // `+1` is a number to Rust.
        let digits = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
        let number = |part: &str| part.parse::<usize>().ok().filter(|_| digits(part));
        let (part, of) = text.split_once('/').ok_or_else(wrong)?;
        let shard = number(part).zip(number(of));
        let (number, of) = shard.ok_or_else(wrong)?;
        match (1..=of).contains(&number) {
            true => Ok(Self { number, of }),
            false => Err(wrong()),
        }
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shards_together_are_all_files_once() {
        for count in 0..20 {
            for of in 1..7 {
                let files: Vec<usize> = (0..count).collect();
                let parts: Vec<Vec<usize>> = (1..=of)
                    .map(|number| Shard { number, of }.pick(files.clone()))
                    .collect();
                let sizes = parts.iter().map(Vec::len);
                let (least, most) = (sizes.clone().min(), sizes.max());
                assert!(most.unwrap() - least.unwrap() <= 1, "{parts:?}");
                let mut all = parts.concat();
                all.sort_unstable();
                assert_eq!(all, files);
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "", "/", "1", "0/4", "5/4", "1/0", "0/0", "-1/4", "+1/4", "1/4/2", "1 / 4", "a/b",
        ] {
            assert_eq!(text.parse::<Shard>(), Err(NoShard(text.to_owned())));
        }
        assert_eq!("4/4".parse(), Ok(Shard { number: 4, of: 4 }));
    }
}
