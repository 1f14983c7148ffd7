//! Keys that are set and that this cut does not honour.

use super::Config;

impl Config {
    /// Their paths, each with what happens instead.
    pub fn unsupported(&self) -> Vec<(&'static str, &'static str)> {
        let tun = &self.tun;
        let zero_rtt = &self.security.zero_rtt;
        let keys = [
            ("shaper", self.shaper.is_some(), "traffic is not shaped"),
            (
                "tun.auto_configure",
                tun.auto_configure,
                "the route engine sets addresses",
            ),
            (
                "tun.client_isolation",
                tun.client_isolation == Some(true),
                "clients are not isolated",
            ),
            (
                "tun.lease_pool",
                tun.lease_pool.is_some(),
                "addresses are learned, not leased",
            ),
            (
                "tun.server_address",
                tun.server_address.is_some(),
                "addresses are learned, not leased",
            ),
            (
                "tun.lease_file",
                tun.lease_file.is_some(),
                "addresses are learned, not leased",
            ),
            (
                "ops.status_socket",
                self.ops.status_socket.is_some(),
                "there is no status socket",
            ),
            (
                "security.zero_rtt.min_records_before_trial",
                zero_rtt.min_records_before_trial != 1,
                "the client waits for one record in each direction",
            ),
        ];
        keys.into_iter()
            .filter(|key| key.1)
            .map(|(key, _, instead)| (key, instead))
            .collect()
    }
}
