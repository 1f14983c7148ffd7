//! Keys that are set and that this cut does not honour.

use super::Config;

impl Config {
    /// Their paths, each with what happens instead.
    pub fn unsupported(&self) -> Vec<(&'static str, &'static str)> {
        let keys = [
            ("shaper", self.shaper.is_some(), "traffic is not shaped"),
            (
                "ops.status_socket",
                self.ops.status_socket.is_some(),
                "there is no status socket",
            ),
        ];
        keys.into_iter()
            .filter(|key| key.1)
            .map(|(key, _, instead)| (key, instead))
            .collect()
    }
}
