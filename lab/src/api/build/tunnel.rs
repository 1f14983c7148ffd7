//! The tunnel of a lab.

use toml::{Table, Value};

use super::{merge, table};
use crate::api::IntoValue;

/// The tunnel under test: FPS, or with [`outer`](Self::outer) another VPN.
#[derive(Clone, Debug)]
#[must_use = "it is returned to the lab's builder"]
pub struct TunnelBuilder {
    pub(super) tunnel: Table,
    pub(super) mistakes: Vec<String>,
}

impl TunnelBuilder {
    pub(super) fn new(client: &str, server: &str) -> Self {
        let tunnel = [("client", client), ("server", server)];
        let tunnel = tunnel.map(|(key, value)| (key.to_owned(), value.into_value()));
        Self {
            tunnel: Table::from_iter(tunnel),
            mistakes: Vec::new(),
        }
    }

    /// Where the client finds the server: `"server:wan"`, or an address.
    pub fn endpoint(self, target: impl IntoValue) -> Self {
        self.set("endpoint", target)
    }

    /// The mark on the tunnel's own sockets.
    pub fn fwmark(self, mark: u32) -> Self {
        self.set("fwmark", mark)
    }

    /// The host of the origin, if it is not the server's.
    pub fn origin(self, target: &str) -> Self {
        self.set("origin", target)
    }

    /// The TUN devices of client and server: `fpsc0` and `fpss0` where nothing is said.
    pub fn tuns(self, client: &str, server: &str) -> Self {
        self.set("client-tun", client).set("server-tun", server)
    }

    /// Its programs are started by acts, not with the lab.
    pub fn start_by_step(self) -> Self {
        self.set("start", "by-step")
    }

    /// It is another VPN than FPS, whose server listens on this port of `"udp"` or `"tcp"`; it needs
    /// [`command`](Self::command)s and [`tuns`](Self::tuns).
    pub fn outer(mut self, protocol: &str, port: u16) -> Self {
        if let Some(outer) = table(&mut self.tunnel, "outer") {
            outer.insert(protocol.to_owned(), port.into_value());
        }
        self
    }

    /// The command of `"client"`, `"server"`, `"origin"` or `"carrier"`, in place of ours.
    pub fn command(mut self, role: &str, command: impl IntoValue) -> Self {
        if let Some(commands) = table(&mut self.tunnel, "command") {
            commands.insert(role.to_owned(), command.into_value());
        }
        self
    }

    /// Any other key of a tunnel, as the scenario format has it.
    pub fn set(mut self, key: &str, value: impl IntoValue) -> Self {
        self.tunnel.insert(key.to_owned(), value.into_value());
        self
    }

    /// What stands in a scenario below `[tunnel]`.
    pub fn toml(mut self, text: &str) -> Self {
        match text.parse::<Table>() {
            Ok(more) => merge(&mut self.tunnel, more),
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }

    pub(super) fn into_value(self) -> Value {
        Value::Table(self.tunnel)
    }
}
