//! An act in words.

use std::fmt;

use super::routes;
use crate::scenario::{Act, LinkState, ProgramRef, RouteAction, StaticRoute};

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(program) => write!(f, "start {program}"),
            Self::Stop(program) => write!(f, "stop {program}"),
            Self::Kill(program) => write!(f, "kill {program}"),
            Self::Run(run) => write!(f, "on {}: {}", run.on, run.command.join(" ")),
            Self::Routes(call) => {
                write!(
                    f,
                    "on {}: {}",
                    call.on,
                    routes::command(call).command.join(" ")
                )
            }
            Self::Link(change) => {
                write!(f, "on {}: {} {}", change.on, change.link, change.state)
            }
            Self::Roam(roam) => {
                write!(
                    f,
                    "on {}: {} roams to {} as",
                    roam.on, roam.link, roam.to.net
                )?;
                roam.to
                    .addresses
                    .iter()
                    .try_for_each(|address| write!(f, " {address}"))
            }
            Self::Sysctl(sysctl) => {
                write!(
                    f,
                    "on {}: sysctl {} = {}",
                    sysctl.on, sysctl.key, sysctl.value
                )
            }
            Self::Route(change) => {
                let verb = match change.action {
                    RouteAction::Add => "add",
                    RouteAction::Delete => "del",
                };
                write!(f, "on {}: ip route {verb} {}", change.on, change.route)
            }
        }
    }
}

impl fmt::Display for ProgramRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role(role) => role.fmt(f),
            Self::Tunnel => f.write_str("the tunnel"),
            Self::Named(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for LinkState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Up => "set up",
            Self::Down => "set down",
            Self::Plugged => "plugged in",
            Self::Unplugged => "unplugged",
        })
    }
}

impl fmt::Display for StaticRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.to)?;
        if let Some(gateway) = self.via {
            write!(f, " via {gateway}")?;
        }
        if let Some(link) = &self.link {
            write!(f, " dev {link}")?;
        }
        if let Some(metric) = self.metric {
            write!(f, " metric {metric}")?;
        }
        Ok(())
    }
}
