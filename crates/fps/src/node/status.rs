//! The status socket: connect, read one line of JSON, and that is all.

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use fps_wire::fragment::Dropped;
use serde_json::{Map, Value, json};
use tokio::io::AsyncWriteExt;
use tokio::net::UnixListener;

use super::sessions::Sessions;
use crate::config::{Config, Role};
use crate::exit::Exit;
use crate::tunnel::{DropReason, Tunnel};

/// How long a running program may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to leave the listener alone after `accept` failed.
const PAUSE: Duration = Duration::from_millis(100);

/// What is told.
pub(super) struct Status {
    pub(super) role: Role,
    pub(super) listen: String,
    pub(super) target: String,
    pub(super) started: Instant,
    pub(super) sessions: Rc<Sessions>,
    pub(super) tunnel: Rc<Tunnel>,
    /// What of the device is the same all the time.
    pub(super) device: Map<String, Value>,
}

/// The device, as the status has it.
pub(super) fn device(config: &Config) -> Map<String, Value> {
    let tun = &config.tun;
    let mut device = Map::new();
    let mut put = |key: &str, value: Value| drop(device.insert(key.to_owned(), value));
    put("enabled", json!(tun.enabled));
    if let Some(name) = tun.name.filter(|_| tun.enabled) {
        put("name", json!(name.as_str()));
        put("mtu", json!(tun.mtu));
    }
    if let Some((pool, _)) = tun.pool() {
        put("lease_pool", json!(pool.network()));
        put("server_address", json!(pool.server()));
    }
    device
}

/// A socket of its own that is gone when this is dropped.
pub(super) struct StatusSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl Drop for StatusSocket {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.path);
    }
}

impl StatusSocket {
    /// Makes it, for the owner alone. One that a killed program has left is replaced; anything else in
    /// its place is not.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Ok(there) if there.file_type().is_socket() => {
                if UnixStream::connect(path).is_ok() {
                    return Err(ErrorKind::AddrInUse.into());
                }
                fs::remove_file(path)?;
            }
            Ok(_) => return Err(ErrorKind::AlreadyExists.into()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let listener = UnixListener::bind(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
        let path = path.to_owned();
        Ok(Self { listener, path })
    }

    /// Answers whoever asks, until it is dropped.
    pub(super) async fn serve(self, status: Status) {
        loop {
            match self.listener.accept().await {
                Ok((mut stream, _)) => {
                    let line = format!("{}\n", status.json());
                    // Whoever asks and does not read waits alone.
                    tokio::task::spawn_local(async move {
                        let answer = stream.write_all(line.as_bytes());
                        let _ = tokio::time::timeout(PATIENCE, answer).await;
                    });
                }
                Err(error) => {
                    tracing::error!(event = "status_accept_failed", error = %error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

impl Status {
    fn json(&self) -> Value {
        let counters = self.tunnel.counters();
        let mut sessions = self.sessions.status();
        sessions["carriers_current"] = json!(self.tunnel.carriers());
        sessions["carriers_registered"] = json!(counters.registered.get());
        sessions["carriers_removed"] = json!(counters.removed.get());
        sessions["duplicate_client_replacements"] = json!(counters.replaced.get());
        let uptime = self.started.elapsed().as_millis();
        json!({
            "role": self.role.word(),
            "pid": std::process::id(),
            "uptime_ms": u64::try_from(uptime).unwrap_or(u64::MAX),
            "listen": self.listen,
            "target": self.target,
            "sessions": sessions,
            "auth": {
                "candidates": counters.candidates.get(),
                "authenticated": counters.authenticated.get(),
                "precheck_failed": counters.precheck_failed.get(),
                "unknown_client": counters.unknown_client.get(),
                "decrypt_failed": counters.decrypt_failed.get(),
                "server_accept_failed": counters.server_accept_failed.get(),
            },
            "classified_record": {
                "decode_failed": counters.records_invalid.get(),
                "encode_failed": self.tunnel.dropped(DropReason::TooLarge),
                "tampered_or_invalid": counters.records_invalid.get(),
                "records_decoded": counters.records_decoded.get(),
                "records_encoded": counters.records_encoded.get(),
            },
            "tun": self.tun(),
            "shaper": { "enabled": false, "queued": 0, "scheduled": 0, "blocked": 0 },
        })
    }

    fn tun(&self) -> Value {
        let (counters, tunnel) = (self.tunnel.counters(), &self.tunnel);
        let dropped = |reason| json!(tunnel.dropped(reason));
        let mut tun = self.device.clone();
        let mut put = |key: &str, value: Value| drop(tun.insert(key.to_owned(), value));
        put("queued_write_packets", json!(0));
        put(
            "packets_from_device",
            json!(counters.packets_from_device.get()),
        );
        put("bytes_from_device", json!(counters.bytes_from_device.get()));
        put(
            "packets_to_carriers",
            json!(counters.packets_to_carriers.get()),
        );
        put(
            "packets_from_carriers",
            json!(counters.packets_from_carriers.get()),
        );
        put("packets_to_device", json!(counters.packets_to_device.get()));
        put("bytes_to_device", json!(counters.bytes_to_device.get()));
        put("client_isolation_drops", dropped(DropReason::Isolated));
        put(
            "leases_assigned_total",
            json!(counters.leases_assigned.get()),
        );
        if self.role == Role::Server && self.device.contains_key("lease_pool") {
            put("leases_persisted", json!(counters.leases_kept.get()));
        }
        if let Some(address) = counters.leased_address.get() {
            put("leased_client_address", json!(address));
        }
        put("session_errors", self.session_errors());
        put(
            "pump_errors",
            json!({
                "closed": 0,
                "empty_packet": 0,
                "packet_too_large": 0,
                "write_queue_full": 0,
                "read_failed": 0,
                "write_failed": dropped(DropReason::LinkDown),
            }),
        );
        put("tun_tunnel_events", self.events());
        // Each packet that went nowhere, by its reason. What came from the device is what went into
        // carriers, what waits and what was dropped; what came out of carriers is what went to the
        // device and what was dropped.
        let each = DropReason::ALL.map(|reason| (reason.word().to_owned(), dropped(reason)));
        put("dropped", Value::Object(each.into_iter().collect()));
        Value::Object(tun)
    }
}

impl Status {
    /// What of the TUN's packets no carrier took, in the peer's words. Some of them cannot happen here,
    /// and are always 0.
    fn session_errors(&self) -> Value {
        let dropped = |reason| self.tunnel.dropped(reason);
        json!({
            "no_carrier_session": dropped(DropReason::NoCarrier),
            "session_closed": dropped(DropReason::CarrierEnded),
            "empty_packet": 0,
            "packet_too_large": dropped(DropReason::TooLarge),
            "codec_error": 0,
            "tls_record_error": 0,
            "write_queue_full": dropped(DropReason::QueueFull),
            "non_ipv4_tun_destination": dropped(DropReason::NotIpv4),
            "unassigned_tun_destination": dropped(DropReason::UnassignedDestination),
            "wrong_executor": 0,
            "packet_rejected_by_policy": 0,
        })
    }

    /// What of the carriers' packets the TUN did not get, in the peer's words.
    fn events(&self) -> Value {
        let dropped = |reason| self.tunnel.dropped(reason);
        let fragments = &self.tunnel.counters().fragments;
        json!({
            "ignored_non_datagram_frame": fragments.of(Dropped::NotAPacket),
            "ignored_wrong_direction": 0,
            "ignored_malformed_fragment": fragments.of(Dropped::Malformed),
            "ignored_out_of_order_fragment": fragments.of(Dropped::OutOfOrder),
            "ignored_mismatched_fragment": fragments.of(Dropped::Mismatched),
            "ignored_oversized_fragment": fragments.of(Dropped::Oversized),
            "ignored_reassembly_limit": fragments.of(Dropped::TooMany),
            "ignored_non_ipv4_tun_packet": dropped(DropReason::NotIpv4Inward),
            "ignored_unassigned_tun_source": dropped(DropReason::UnassignedSource),
            "ignored_spoofed_tun_source": dropped(DropReason::SpoofedSource),
            "unparseable_tun_flow": dropped(DropReason::NotIp),
            "ignored_by_tun_policy": 0,
        })
    }
}

/// Asks a running program, and prints what it says.
pub(super) fn ask(role: Role, path: &Path) -> Exit {
    let ask = || -> io::Result<String> {
        let mut stream = UnixStream::connect(path)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    };
    match ask() {
        Ok(answer) => {
            print!("{answer}");
            Exit::Ok
        }
        Err(error) => {
            let (program, path) = (role.word(), path.display());
            eprintln!("fps_{program}: cannot ask by the status socket {path}: {error}");
            Exit::Runtime
        }
    }
}
