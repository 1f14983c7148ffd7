//! Keys that are set and that this cut does not honour.

use super::Config;

impl Config {
    /// Their paths, each with what happens instead.
    pub fn unsupported(&self) -> Vec<(&'static str, &'static str)> {
        let keys = [("shaper", self.has_shaper(), "traffic is not shaped")];
        keys.into_iter()
            .filter(|key| key.1)
            .map(|(key, _, instead)| (key, instead))
            .collect()
    }
}
