//! What shows that a program is ready.

use std::fmt;

use fps_netlink::{Events, Group, LinkName, Netlink};

use super::ProgramError;
use crate::sandbox::{HostId, Sandbox, SocketKind};
use crate::scenario::{ReadyWhen, TunState};

/// An event that is waited for.
pub(super) enum Sign<'a> {
    /// A line of its output holds this text.
    Line(&'a str),
    /// A device is there.
    Device(Device),
}

/// A device that is to come.
pub(super) struct Device {
    name: LinkName,
    state: TunState,
    netlink: Netlink,
    events: Events,
}

impl<'a> Sign<'a> {
    /// Watches from now on for what makes a program ready; none where it is ready once it runs.
    pub(super) fn of(
        when: &'a ReadyWhen,
        sandbox: &Sandbox,
        host: HostId,
    ) -> Result<Option<Self>, ProgramError> {
        Ok(match when {
            ReadyWhen::Started => None,
            ReadyWhen::Output(text) => Some(Self::Line(text)),
            ReadyWhen::Tun(name, state) => {
                let socket = || sandbox.socket(host, SocketKind::Route);
                let (events, netlink) = (socket()?, socket()?);
                Some(Self::Device(Device {
                    name: *name,
                    state: *state,
                    netlink: Netlink::from_socket(netlink)?,
                    events: Events::from_socket(events, &[Group::Link])?,
                }))
            }
        })
    }
}

impl Device {
    /// Waits until it is there.
    pub(super) async fn appears(&mut self) -> Result<(), fps_netlink::Error> {
        loop {
            let link = self.netlink.link(&self.name).await?;
            let there = link.is_some_and(|link| match self.state {
                TunState::Exists => true,
                TunState::Up => link.up,
            });
            if there {
                return Ok(());
            }
            // Subscribed before the look: a change since then is waiting already.
            self.events.next().await?;
        }
    }
}

impl fmt::Display for Sign<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(text) => write!(f, "no line with `{text}`"),
            Self::Device(Device { name, state, .. }) => match state {
                TunState::Exists => write!(f, "no device {name}"),
                TunState::Up => write!(f, "no device {name} that is up"),
            },
        }
    }
}
