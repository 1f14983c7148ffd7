//! What a server has leased, and to take it back.

use fps_wire::ClientUuid;
use serde_json::json;

use super::CommandError;
use crate::config::Config;
use crate::lease::Leases;

/// What is to be done with the leases. A server that runs reads them when it starts.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LeaseCommand {
    /// Print who has which address, and stop.
    #[arg(long, requires = "config")]
    lease_list: bool,
    /// Take the address of a client back, and stop.
    #[arg(long, value_name = "UUID", requires = "config", hide_short_help = true)]
    lease_revoke_client_uuid: Option<ClientUuid>,
    /// Take back the addresses of clients that are not allowed any more, and stop.
    #[arg(long, requires = "config", hide_short_help = true)]
    lease_prune: bool,
}

impl LeaseCommand {
    /// Whether anything is.
    pub(crate) fn is_asked(&self) -> bool {
        self.lease_list || self.lease_prune || self.lease_revoke_client_uuid.is_some()
    }

    /// Does it, and says what came of it.
    pub(crate) fn run(&self, config: &Config) -> Result<String, CommandError> {
        let (pool, file) = config.tun.pool().ok_or(CommandError::NoPool)?;
        let mut leases = Leases::load(pool, file)?;
        let allowed = config.security.zero_rtt.clients();
        if let Some(uuid) = &self.lease_revoke_client_uuid {
            let client = uuid.private_key().public();
            let removed = leases.keep(|other| *other != client)? > 0;
            let status = if removed { "removed" } else { "not_found" };
            return Ok(json!({ "status": status, "removed": removed }).to_string());
        }
        if self.lease_prune {
            let removed = leases.keep(|client| allowed.contains(client))?;
            return Ok(json!({ "kept": leases.len(), "removed": removed }).to_string());
        }
        let each = leases.by_address().into_iter().map(|(ipv4, client)| {
            json!({
                "ipv4": ipv4,
                "client_public_key_fingerprint": client.fingerprint(),
                "allowlisted": allowed.contains(&client),
            })
        });
        Ok(json!({
            "lease_pool": pool.network(),
            "server_address": pool.server(),
            "lease_file": config.tun.lease_file_as_written,
            "allowed_client_count": allowed.len(),
            "leases": each.collect::<Vec<_>>(),
        })
        .to_string())
    }
}
