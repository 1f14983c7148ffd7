//! A sandbox with one host, in which things are tried.

use std::path::Path;

use fps_netlink::Netlink;
use fps_netns::{Station, Switch};

use super::{Lack, try_sandbox};
use crate::sandbox::{HostHandle, HostSpec, Sandbox, SandboxError};

/// A throwaway lab, as far as it could be had.
pub(super) struct Trial {
    pub(super) bench: Option<Bench>,
}

/// A sandbox, and a host in it if there could be one.
pub(super) struct Bench {
    pub(super) sandbox: Sandbox,
    pub(super) switch: fps_netns::Result<Switch>,
    pub(super) host: Result<HostHandle, SandboxError>,
}

impl Trial {
    /// Makes one; fails where there is no sandbox. Inside a tokio runtime.
    pub(super) fn begin(helper: &Path) -> Result<Self, Lack> {
        let (sandbox, netlink) = try_sandbox(helper)?;
        let host = sandbox
            .ask_for_host(spec())
            .and_then(|()| sandbox.take_host(NAME));
        let switch = Netlink::from_socket(netlink)
            .map(Switch::new)
            .map_err(Into::into);
        Ok(Self {
            bench: Some(Bench {
                sandbox,
                switch,
                host,
            }),
        })
    }

    /// None could be had.
    pub(super) fn none() -> Self {
        Self { bench: None }
    }

    /// The sandbox and the host, where both are there.
    pub(super) fn host(&self) -> Option<(&Sandbox, &HostHandle)> {
        let bench = self.bench.as_ref()?;
        Some((&bench.sandbox, bench.host.as_ref().ok()?))
    }

    /// A new socket to the host's network.
    pub(super) fn station(&self) -> Option<Station> {
        let (sandbox, host) = self.host()?;
        let socket = sandbox
            .socket(host.id, crate::sandbox::SocketKind::Route)
            .ok()?;
        Netlink::from_socket(socket).ok().map(Station::new)
    }
}

const NAME: &str = "trial";

fn spec() -> HostSpec {
    HostSpec {
        name: NAME.to_owned(),
        forward: true,
        files: Vec::new(),
        usr: None,
        links: Vec::new(),
        programs: Vec::new(),
        groups: None,
    }
}
