//! A client's configuration, made by its server; and out of the line that it travels in.

use std::path::PathBuf;

use fps_wire::{ClientUuid, profile};
use serde_json::{Value, json};

use super::{CommandError, OutputArgs};
use crate::config::{Config, Endpoint};

/// A profile that a server makes for one of its clients.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct NewProfile {
    /// Make a client's configuration, print it, and stop.
    #[arg(long, requires = "config")]
    generate_client_profile: bool,
    /// For this client.
    #[arg(
        long,
        value_name = "UUID",
        requires = "generate_client_profile",
        hide_short_help = true
    )]
    client_uuid: Option<ClientUuid>,
    /// Where it finds this server.
    #[arg(
        long,
        value_name = "HOST:PORT",
        requires = "generate_client_profile",
        hide_short_help = true
    )]
    server_endpoint: Option<Endpoint>,
    /// Where it listens.
    #[arg(
        long,
        value_name = "HOST:PORT",
        default_value = "127.0.0.1:7443",
        requires = "generate_client_profile",
        hide_short_help = true
    )]
    client_listen: Endpoint,
    /// The name of its TUN device.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "fpsc0",
        requires = "generate_client_profile",
        hide_short_help = true
    )]
    client_tun: fps_netlink::LinkName,
    /// Where its status socket is.
    #[arg(
        long,
        value_name = "PATH",
        requires = "generate_client_profile",
        hide_short_help = true
    )]
    client_status_socket: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

impl NewProfile {
    /// Whether one is asked for.
    pub(crate) fn is_asked(&self) -> bool {
        self.generate_client_profile
    }

    /// Makes it.
    pub(crate) fn run(
        &self,
        config: &Config,
        format: Option<&str>,
    ) -> Result<String, CommandError> {
        let missing = CommandError::Missing;
        let uuid = self.client_uuid.as_ref();
        let uuid = uuid.ok_or(missing("--client-uuid UUID"))?;
        let endpoint = self.server_endpoint.as_ref();
        let endpoint = endpoint.ok_or(missing("--server-endpoint HOST:PORT"))?;
        let zero_rtt = &config.security.zero_rtt;
        if !zero_rtt.allowed_client_uuids.contains(uuid) {
            return Err(CommandError::UnknownClient);
        }
        let server = zero_rtt.server_public_key_base64;
        let server = server.filter(|_| zero_rtt.enabled);
        let server = server.ok_or(CommandError::NoZeroRtt)?;
        let mut text = json!({
            "network": {
                "listen": self.client_listen.to_string(),
                "server": endpoint.to_string(),
            },
            "security": { "zero_rtt": {
                "enabled": true,
                "profile_id": zero_rtt.profile_id,
                "client_uuid": *uuid.to_text(),
                "server_public_key_base64": server.to_base64(),
                "max_padding_size": zero_rtt.max_padding_size,
                "min_records_before_trial": zero_rtt.min_records_before_trial,
                "version": 5,
                "capabilities": zero_rtt.capabilities,
                "upgrade_direction": "client_to_server",
            }},
            "codec": {
                "max_frame_payload": config.codec.max_frame_payload,
                "max_frame_padding": config.codec.max_frame_padding,
                "allow_fragmentation": config.codec.allow_fragmentation,
            },
            "logging": { "level": config.logging.level.word() },
            "tun": {
                "enabled": true,
                "name": self.client_tun.as_str(),
                "mtu": config.tun.mtu,
                "max_write_queue_packets": config.tun.max_write_queue_packets,
                "auto_configure": true,
            },
        });
        if let Some(socket) = &self.client_status_socket {
            text["ops"] = json!({ "status_socket": socket });
        }
        let text = match format {
            None | Some("json") => text.to_string(),
            Some("uri") => profile::to_uri(&text.to_string()),
            Some(other) => {
                return Err(CommandError::Format(other.to_owned(), "json, uri"));
            }
        };
        self.output.put(text)
    }
}

/// A profile that a client has been given.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct FromUri {
    /// Print the configuration of a profile's URI, and stop.
    #[arg(long, value_name = "URI", conflicts_with = "config")]
    print_config_from_uri: Option<String>,
    /// Write it to --output, and stop.
    #[arg(
        long,
        value_name = "URI",
        conflicts_with_all = ["config", "print_config_from_uri"],
        requires = "output"
    )]
    write_config_from_uri: Option<String>,
    #[command(flatten)]
    output: OutputArgs,
}

impl FromUri {
    /// What comes of it, if one is asked for.
    pub(crate) fn run(&self) -> Option<Result<String, CommandError>> {
        let uri = self.print_config_from_uri.as_ref();
        let uri = uri.or(self.write_config_from_uri.as_ref())?;
        let read = profile::from_uri(uri).map_err(CommandError::from);
        let output = match self.write_config_from_uri {
            Some(_) => self.output.clone(),
            None => OutputArgs::default(),
        };
        Some(read.and_then(|config: Value| output.put(config.to_string())))
    }
}
