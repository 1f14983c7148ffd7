//! A configuration in one line, as `--check-config` prints it. Without a secret.

use std::fmt::{self, Write as _};

use super::{Config, Role};

impl Config {
    /// The line: `config=valid role=… key=value…`.
    pub fn summary(&self, role: Role) -> String {
        let mut line = Line(String::from("config=valid"));
        let target = match role {
            Role::Client => "server",
            Role::Server => "origin",
        };
        line.pair("role", role.word());
        line.pair("listen", &self.network.listen);
        if let Some(endpoint) = self.target(role) {
            line.pair(target, endpoint);
        }
        line.pair("read_buffer_size", self.network.read_buffer_size);
        line.flag("tcp_no_delay", self.network.tcp_no_delay);
        let most = self.limits.max_session_write_queue_bytes;
        line.pair("max_session_write_queue_bytes", most);
        line.pair("log_level", self.logging.level.word());
        line.flag("zero_rtt_enabled", self.security.zero_rtt.enabled);
        line.flag("tun_enabled", self.tun.enabled);
        line.flag("shaper_enabled", self.has_shaper());
        line.flag("status_socket_enabled", self.ops.status_socket.is_some());
        line.pair("max_frame_payload", self.codec.max_frame_payload);
        line.pair("max_frame_padding", self.codec.max_frame_padding);
        line.flag("allow_fragmentation", self.codec.allow_fragmentation);
        if self.security.zero_rtt.enabled {
            self.zero_rtt(role, &mut line);
        }
        if self.tun.enabled {
            self.device(&mut line);
        }
        line.0
    }

    fn zero_rtt(&self, role: Role, line: &mut Line) {
        let zero_rtt = &self.security.zero_rtt;
        let profile = zero_rtt.profile_id.as_deref().unwrap_or_default();
        match profile.contains(char::is_control) {
            true => line.pair("zero_rtt_profile_id", format_args!("{profile:?}")),
            false => line.pair("zero_rtt_profile_id", profile),
        }
        line.pair("zero_rtt_direction", "client_to_server");
        let least = zero_rtt.min_records_before_trial;
        line.pair("zero_rtt_min_records_before_trial", least);
        let (delay, sigma) = match role {
            Role::Client => zero_rtt.delay_and_sigma(),
            Role::Server => (0, 0),
        };
        line.pair("zero_rtt_client_upgrade_delay_ms", delay);
        line.pair("zero_rtt_client_upgrade_delay_sigma_ms", sigma);
        line.flag("zero_rtt_client_uuid_mode", role == Role::Client);
        if role == Role::Server {
            line.flag("zero_rtt_server_base64_key_mode", true);
            line.pair("allowed_client_uuids", zero_rtt.allowed_client_uuids.len());
        }
    }

    fn device(&self, line: &mut Line) {
        if let Some(name) = &self.tun.name {
            line.pair("tun_name", name);
        }
        line.pair("tun_mtu", self.tun.mtu);
        let packets = self.tun.max_write_queue_packets;
        line.pair("tun_max_write_queue_packets", packets);
        line.flag("tun_auto_configure", self.tun.auto_configure);
        line.flag("tun_client_isolation", self.tun.client_isolation);
        if let Some(pool) = &self.tun.lease_pool {
            line.pair("tun_lease_pool", pool);
        }
    }
}

struct Line(String);

impl Line {
    fn pair(&mut self, key: &str, value: impl fmt::Display) {
        write!(self.0, " {key}={value}").expect("a String grows");
    }

    fn flag(&mut self, key: &str, value: bool) {
        self.pair(key, u8::from(value));
    }
}
