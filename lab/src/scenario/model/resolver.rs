//! How a host's programs find names.

use std::time::Duration;

use super::{HostName, Program, ProgramName, Ready, ReadyWhen};

/// What answers for a host's programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Resolver {
    /// Nothing: they read /etc/resolv.conf, and ask the servers there.
    #[default]
    ResolvConf,
    /// The real systemd-resolved(8), with a D-Bus of its own.
    SystemdResolved,
}

/// How long either program may take: it is ready in a tenth of a second.
const WITHIN: Duration = Duration::from_secs(10);

/// Where the host has its D-Bus configuration.
pub(crate) const BUS_CONFIGURATION: &str = "/run/dbus/lab.conf";

/// The host's programs, in the order in which they start: `HOST-bus` and `HOST-resolved`.
pub(crate) fn resolver_programs(host: &HostName) -> [(ProgramName, Program); 2] {
    let configuration = format!("--config-file={BUS_CONFIGURATION}");
    let bus = [
        "dbus-daemon",
        &configuration,
        "--nofork",
        "--nopidfile",
        "--print-address",
    ];
    // The bus name comes later than what it tells sd_notify(3); only the debug log says when.
    let resolved = [
        "env",
        "SYSTEMD_LOG_LEVEL=debug",
        "SYSTEMD_LOG_TARGET=console",
        "/usr/lib/systemd/systemd-resolved",
    ];
    let program = |command: &[&str], sign: &str| Program {
        on: host.clone(),
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        ready: Ready {
            when: ReadyWhen::Output(sign.to_owned()),
            within: WITHIN,
        },
        may_end: false,
    };
    [
        (
            ProgramName::new(format!("{host}-bus")),
            program(&bus, "unix:path="),
        ),
        (
            ProgramName::new(format!("{host}-resolved")),
            program(&resolved, "Successfully acquired requested service name"),
        ),
    ]
}
