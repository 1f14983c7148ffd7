//! What FPS's four programs are given.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use fps_netlink::LinkName;
use fps_wire::{PrivateKey, base64};
use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use serde_json::{Value, json};

use super::StageError;
use super::stage::Stage;
use super::tunnel::Launch;
use crate::sandbox::FileSpec;
use crate::scenario::{Fps, HostName, Outer, Ready, ReadyWhen, Tunnel, TunnelRole};

/// The name that the application asks for. The client's host finds it on its own loopback.
pub(crate) const CARRIER_NAME: &str = "carrier.example.net";
/// What client and server log when a carrier carries.
pub(super) const CARRIES: &str = "event=carrier_registered";
/// How long a program may take to get ready.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

const CLIENT_PORT: u16 = 443;
const SERVER_PORT: u16 = Outer::FPS.port;
const ORIGIN_PORT: u16 = 443;
const CLIENT_CONFIG: &str = "/run/fps/client.json";
const SERVER_CONFIG: &str = "/run/fps/server.json";
/// Where client and server tell their status.
pub(crate) const CLIENT_STATUS: &str = "/run/fps/client.sock";
pub(crate) const SERVER_STATUS: &str = "/run/fps/server.sock";
/// Where each host finds the certificate of the play's CA.
pub(crate) const CA: &str = "/run/fps/ca.pem";
const ORIGIN_CERTIFICATE: &str = "/run/fps/origin.pem";
const ORIGIN_KEY: &str = "/run/fps/origin-key.pem";
/// Each lab is a world of its own, so one identity serves all.
const CLIENT_UUID: &str = "6f0c8a52-4b1e-4d0a-9c3e-2a7d51f0b864";

/// How a role's program is started.
pub(super) fn launch<'a>(tunnel: &'a Tunnel, fps: &'a Fps, role: TunnelRole) -> Launch<'a> {
    Launch {
        host: host(tunnel, fps, role),
        command: command(fps, role),
        ready: ready(role),
    }
}

fn host<'a>(tunnel: &'a Tunnel, fps: &'a Fps, role: TunnelRole) -> &'a HostName {
    match role {
        TunnelRole::Client | TunnelRole::Carrier => &tunnel.client,
        TunnelRole::Server => &tunnel.server,
        TunnelRole::Origin => &fps.origin,
    }
}

/// What shows that a role's program is ready.
fn ready(role: TunnelRole) -> Ready {
    let sign = match role {
        TunnelRole::Origin => "READY origin",
        TunnelRole::Server | TunnelRole::Client => "event=listening",
        // An application is ready when it runs: whether it gets through is for the steps to say.
        TunnelRole::Carrier => {
            return Ready {
                when: ReadyWhen::Started,
                within: PATIENCE,
            };
        }
    };
    Ready {
        when: ReadyWhen::Output(sign.to_owned()),
        within: PATIENCE,
    }
}

/// A role's command line.
fn command(fps: &Fps, role: TunnelRole) -> Vec<String> {
    if let Some(command) = fps.commands.get(&role) {
        return command
            .iter()
            .map(|word| word.replace("{config}", config_path(role)))
            .collect();
    }
    let command: &[&str] = match role {
        TunnelRole::Client => &["fps_client", "--config", CLIENT_CONFIG],
        TunnelRole::Server => &["fps_server", "--config", SERVER_CONFIG],
        TunnelRole::Origin => {
            let listen = SocketAddr::new(fps.origin_address, ORIGIN_PORT).to_string();
            let files = ["--cert", ORIGIN_CERTIFICATE, "--key", ORIGIN_KEY];
            return owned(&["fps_carrier", "origin", "--listen", &listen], &files);
        }
        TunnelRole::Carrier => {
            let url = format!("wss://{CARRIER_NAME}/fps-carrier");
            // It talks often, soon misses an answer and comes back at once, so that the tunnel is
            // never the slow part.
            let talk = ["--frames-per-second", "20"];
            let give_up = ["--echo-timeout-ms", "1000", "--reconnect-min-ms", "0"];
            return owned(
                &["fps_carrier", "client", "--url", &url, "--ca-file", CA],
                &[talk.as_slice(), give_up.as_slice()].concat(),
            );
        }
    };
    owned(command, &[])
}

fn owned(command: &[&str], more: &[&str]) -> Vec<String> {
    command
        .iter()
        .chain(more)
        .map(|word| (*word).to_owned())
        .collect()
}

fn config_path(role: TunnelRole) -> &'static str {
    match role {
        TunnelRole::Client => CLIENT_CONFIG,
        TunnelRole::Server => SERVER_CONFIG,
        TunnelRole::Origin => ORIGIN_CERTIFICATE,
        TunnelRole::Carrier => CA,
    }
}

impl Stage<'_> {
    /// Puts the configuration and the certificates where the programs look for them, once.
    pub(super) fn furnish_fps(&mut self, tunnel: &Tunnel, fps: &Fps) -> Result<(), StageError> {
        if std::mem::replace(&mut self.fps_furnished, true) {
            return Ok(());
        }
        let authority = self.lab.authority()?;
        let ca_certificate = authority.certificate();
        let issued = authority.issue(vec![CARRIER_NAME.to_owned()], &[ServerAuth])?;
        let server_key = ::fps::random::private_key()?;
        let client_config = pretty(&client(tunnel, fps, &server_key));
        let server_config = pretty(&server(tunnel, fps, &server_key));
        let files = [
            (
                &tunnel.client,
                FileSpec::secret(CLIENT_CONFIG, client_config),
            ),
            (
                &tunnel.server,
                FileSpec::secret(SERVER_CONFIG, server_config),
            ),
            (
                &fps.origin,
                FileSpec::new(ORIGIN_CERTIFICATE, issued.certificate()),
            ),
            (&fps.origin, FileSpec::secret(ORIGIN_KEY, issued.key())),
        ];
        // An application may run on any host.
        let hosts = self.scenario.hosts.keys();
        let ca = hosts.map(|host| (host, FileSpec::new(CA, ca_certificate.clone())));
        for (host, file) in ca.chain(files) {
            self.lab
                .sandbox()
                .write_file(self.lab.host(host).id(), file)?;
        }
        Ok(())
    }
}

fn pretty(config: &Value) -> String {
    format!("{config:#}\n")
}

fn client(tunnel: &Tunnel, fps: &Fps, key: &PrivateKey) -> Value {
    let listen = SocketAddr::new(Ipv4Addr::LOCALHOST.into(), CLIENT_PORT);
    let server = SocketAddr::new(tunnel.endpoint, SERVER_PORT);
    let mut network = json!({ "listen": listen.to_string(), "server": server.to_string() });
    mark(fps, &mut network);
    let delay = u64::try_from(fps.upgrade_delay.as_millis()).unwrap_or(u64::MAX);
    let identity = json!({ "client_uuid": CLIENT_UUID, "client_upgrade_delay_ms": delay });
    config(network, identity, key, &tunnel.client_tun, CLIENT_STATUS)
}

fn server(tunnel: &Tunnel, fps: &Fps, key: &PrivateKey) -> Value {
    let any: IpAddr = match tunnel.endpoint {
        IpAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let origin = SocketAddr::new(fps.origin_address, ORIGIN_PORT);
    let mut network = json!({
        "listen": SocketAddr::new(any, SERVER_PORT).to_string(),
        "origin": origin.to_string(),
    });
    mark(fps, &mut network);
    let identity = json!({
        "allowed_client_uuids": [CLIENT_UUID],
        "server_private_key_base64": base64::encode(&*key.to_bytes()),
    });
    config(network, identity, key, &tunnel.server_tun, SERVER_STATUS)
}

/// What client and server have in common.
fn config(
    network: Value,
    mut zero_rtt: Value,
    key: &PrivateKey,
    tun: &LinkName,
    status: &str,
) -> Value {
    zero_rtt["enabled"] = json!(true);
    zero_rtt["profile_id"] = json!("lab");
    zero_rtt["server_public_key_base64"] = json!(key.public().to_base64());
    json!({
        "network": network,
        "security": { "zero_rtt": zero_rtt },
        "tun": { "enabled": true, "name": tun.as_str() },
        "ops": { "status_socket": status },
    })
}

fn mark(fps: &Fps, network: &mut Value) {
    if let Some(mark) = fps.fwmark {
        network["fwmark"] = json!(mark.to_string());
    }
}
