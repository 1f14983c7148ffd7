//! FPS between the hosts.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

use crate::hosts::{FAR, Hosts, ip};
use crate::program::Program;

const UUID: &str = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";

/// What a tunnel speaks.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Wire {
    /// What any build of FPS does.
    Version5,
    /// What two of ours do.
    Extended,
}

impl Wire {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Version5 => "version 5",
            Self::Extended => "extended",
        }
    }

    /// Both tunnels are there at once, so each has its own of all that can be taken.
    fn number(self) -> u8 {
        match self {
            Self::Version5 => 0,
            Self::Extended => 1,
        }
    }

    pub(crate) fn far(self) -> String {
        format!("10.66.{}.1", self.number())
    }

    /// The ratio to a veth, at least.
    pub(crate) fn least(self) -> f64 {
        match self {
            Self::Version5 => 0.15,
            Self::Extended => 0.4,
        }
    }
}

/// The programs of a tunnel between the hosts.
pub(crate) struct Tunnel {
    _programs: Vec<Program>,
    _folder: tempfile::TempDir,
}

/// The configurations of server and client.
fn configurations(wire: Wire) -> [(&'static str, String); 2] {
    let key = fps::random::private_key().expect("random bytes");
    let private = fps_wire::base64::encode(&*key.to_bytes());
    let public = key.public().to_base64();
    let (number, extensions) = (wire.number(), wire == Wire::Extended);
    let server = format!(
        r#"{{"network": {{"listen": "{FAR}:744{number}", "origin": "127.0.0.1:844{number}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "bench",
          "extensions": {extensions},
          "server_private_key_base64": "{private}", "server_public_key_base64": "{public}",
          "allowed_client_uuids": ["{UUID}"]}}}},
        "tun": {{"enabled": true, "name": "fpss{number}", "mtu": 1400,
          "lease_pool": "10.66.{number}.0/30", "lease_file": "leases.json"}}}}"#
    );
    let client = format!(
        r#"{{"network": {{"listen": "127.0.0.1:744{number}", "server": "{FAR}:744{number}"}},
        "security": {{"zero_rtt": {{"enabled": true, "profile_id": "bench",
          "extensions": {extensions},
          "client_uuid": "{UUID}", "server_public_key_base64": "{public}",
          "client_upgrade_delay_ms": 0}}}},
        "tun": {{"enabled": true, "name": "fpsc{number}", "mtu": 1400, "auto_configure": true}}}}"#
    );
    [("server.json", server), ("client.json", client)]
}

impl Tunnel {
    pub(crate) fn start(hosts: &Hosts, wire: Wire) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name).display().to_string();
        for (name, text) in configurations(wire) {
            // It holds keys, so nobody else may read it.
            let mut file = OpenOptions::new();
            let file = file.write(true).create_new(true).mode(0o600).open(at(name));
            let mut file = file.expect("the folder is ours");
            file.write_all(text.as_bytes()).expect("there is room");
        }
        let (number, far) = (wire.number(), wire.far());
        let (ca, carrier) = (at("ca.pem"), env!("CARGO_BIN_EXE_fps_carrier"));
        let line = format!("origin --listen 127.0.0.1:844{number} --self-signed --cert-out {ca}");
        let origin = Program::start(&hosts.far, carrier, &line);
        origin.wait_for("READY origin");
        let line = format!("--config {}", at("server.json"));
        let server = Program::start(&hosts.far, env!("CARGO_BIN_EXE_fps_server"), &line);
        server.wait_for("event=listening");
        ip(&hosts.far, &format!("addr add {far}/30 dev fpss{number}"));
        ip(&hosts.far, &format!("link set fpss{number} up"));
        let line = format!("--config {}", at("client.json"));
        let client = Program::start(&hosts.near, env!("CARGO_BIN_EXE_fps_client"), &line);
        client.wait_for("event=listening");
        let line = format!(
            "client --url wss://carrier.example.net/fps-carrier --connect 127.0.0.1:744{number} \
             --ca-file {ca} --reconnect-min-ms 10"
        );
        let application = Program::start(&hosts.near, carrier, &line);
        if wire == Wire::Extended {
            client.wait_for("event=carrier_extended");
        } else {
            client.wait_for("event=tun_auto_configured");
        }
        Self {
            _programs: vec![origin, server, client, application],
            _folder: folder,
        }
    }
}
