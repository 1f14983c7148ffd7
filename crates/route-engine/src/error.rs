//! What failed, and what to do about it.

use std::error::Error as StdError;
use std::io;

use fps_netlink::LinkName;
use nix::errno::Errno;

use crate::{DnsError, InvalidDestination, ResolverKind};

/// Why `fps-route` did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Routes need a device to lead into.
    #[error(
        "there is no interface `{0}` in this network namespace: start the tunnel first, or name \
         its device with --tun"
    )]
    NoDevice(LinkName),
    /// A bypass needs its device.
    #[error(
        "there is no interface `{0}` in this network namespace: name the one by which the gateway \
         of --bypass is reached"
    )]
    NoBypassDevice(LinkName),
    /// Another program's route or rule stands where ours would.
    #[error(
        "`{command}` is refused and nothing has changed: the {theirs} stands in its place, which \
         another program set (protocol {protocol}); take that away first, or leave this out"
    )]
    Foreign {
        /// The operation, as its equivalent command.
        command: String,
        /// What stands there.
        theirs: String,
        /// Its protocol.
        protocol: String,
    },
    /// Tables or priorities that are not free.
    #[error(
        "{what} is refused and nothing has changed: the {theirs} has it, which is {owner}; choose \
         another, or have --auto choose"
    )]
    Taken {
        /// The option, with the number that is taken.
        what: String,
        /// What has it.
        theirs: String,
        /// Whose that is.
        owner: String,
    },
    /// A rule that takes what a full tunnel is to take: mostly another tunnel's.
    #[error(
        "--full-tunnel is refused and nothing has changed: the rule `{rule}`, which is {owner}, takes all \
         packets and {what}, {}",
        if *.hidden {
            "before the tunnel sees any; take it away first, or put this one before it with --priority \
             or --auto"
        } else {
            "and each tunnel would carry the other; end one of the two"
        }
    )]
    Captured {
        /// The rule that takes all packets.
        rule: String,
        /// Whose that is.
        owner: String,
        /// What becomes of them.
        what: String,
        /// Its turn comes first.
        hidden: bool,
    },
    /// Another `fps-route` watches the device, and would set again what this one takes away.
    #[error(
        "fps-route watch (process {pid}) keeps {tun}, and nothing has changed: SIGHUP has it read its \
         files again, SIGTERM has it clean up"
    )]
    Watched {
        /// The device.
        tun: LinkName,
        /// The process, as it has written it down.
        pid: String,
    },
    /// Signals could not be waited for.
    #[error("cannot wait for signals")]
    Signal(#[source] io::Error),
    /// A record of what was applied could not be read, written or locked.
    #[error("cannot {what} the record {file}: --state-dir names another folder for it")]
    Record {
        /// What was to be done with it.
        what: &'static str,
        /// The file.
        file: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// A record tells nothing.
    #[error(
        "cannot read the record {file}: what it stands for, if another tunnel's, is left alone"
    )]
    UnreadableRecord {
        /// The file.
        file: String,
        /// Why not.
        #[source]
        cause: io::Error,
    },
    /// The lock is not to be had.
    #[error(
        "another fps-route has been at work in this network namespace for {0:?}, and nothing has changed"
    )]
    Busy(std::time::Duration),
    /// The network namespace could not be told.
    #[error("cannot tell which network namespace this is")]
    Namespace(#[source] io::Error),
    /// The resolver could not be asked.
    #[error("cannot ask the resolver about {device}; --no-dns leaves DNS alone")]
    ReadDns {
        /// The device.
        device: LinkName,
        /// Why not.
        #[source]
        cause: DnsError,
    },
    /// The resolver did not take back what it had before.
    #[error("cannot set back what the resolver had for {device}")]
    RestoreDns {
        /// The device.
        device: LinkName,
        /// Why not.
        #[source]
        cause: DnsError,
    },
    /// DNS shall be set, and nothing is there to set it.
    #[error(
        "`{command}` needs {}; nothing has changed: {}, or leave DNS alone with --no-dns",
        .by.lack(), .by.remedy()
    )]
    NoResolver {
        /// The operation that needs it.
        command: String,
        /// The one that is missing.
        by: ResolverKind,
    },
    /// An operation failed, and what came before it is undone.
    #[error("{}; rolled back: the machine is as before", .0.chain())]
    RolledBack(Box<Error>),
    /// An operation failed, and what came before it could not be undone wholly.
    #[error("{}; rolled back, but not wholly: {differences}", .cause.chain())]
    NotRolledBack {
        /// What failed first.
        cause: Box<Error>,
        /// In what the machine is not as before.
        differences: String,
    },
    /// A file of routes could not be read.
    #[error("cannot read --routes-file {file}")]
    RoutesFile {
        /// The file.
        file: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A line of it is no route.
    #[error("--routes-file {file}, line {line}: `{text}`: {cause}")]
    RoutesLine {
        /// The file.
        file: String,
        /// The line's number.
        line: usize,
        /// What it says.
        text: String,
        /// What is wrong with it.
        cause: InvalidDestination,
    },
    /// The kernel lets nobody without CAP_NET_ADMIN change its routes (capabilities(7)).
    #[error("`{command}` needs the capability CAP_NET_ADMIN: run fps-route as root")]
    MissingCapability {
        /// The operation, as its equivalent command.
        command: String,
    },
    /// A device with IPv6 switched off takes no IPv6 address or route.
    #[error(
        "`{command}` failed: IPv6 is switched off on {device}; switch it on with \
         `sysctl -w net/ipv6/conf/{device}/disable_ipv6=0`"
    )]
    Ipv6Disabled {
        /// The operation, as its equivalent command.
        command: String,
        /// The device.
        device: LinkName,
    },
    /// The kernel refused an operation.
    #[error("`{command}` failed: {}", .errno.desc())]
    Refused {
        /// The operation, as its equivalent command.
        command: String,
        /// The kernel's word for it.
        errno: Errno,
    },
    /// An operation failed for another reason.
    #[error("`{command}` failed")]
    Operation {
        /// The operation, as its equivalent command.
        command: String,
        /// Why.
        #[source]
        cause: Box<dyn StdError + Send + Sync>,
    },
    /// The kernel could not be asked.
    #[error("cannot reach the kernel's routing (NETLINK_ROUTE)")]
    Netlink(#[source] fps_netlink::Error),
    /// The plan could not be printed; nothing is done that is not printed first.
    #[error("cannot print the plan, so nothing further is done")]
    Output(#[source] io::Error),
    /// There is no runtime to wait for the kernel in.
    #[error("cannot start the runtime")]
    Runtime(#[source] io::Error),
}

impl Error {
    /// The error and its causes on one line.
    pub fn chain(&self) -> String {
        let mut line = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_says_what_failed_and_what_to_do() {
        let device = || LinkName::new("fpsc0").unwrap();
        let command = || "ip -6 addr replace fd66::2/64 dev fpsc0".to_owned();
        for (error, line) in [
            (
                Error::NoDevice(device()),
                "there is no interface `fpsc0` in this network namespace: start the tunnel first, \
                 or name its device with --tun",
            ),
            (
                Error::MissingCapability { command: command() },
                "`ip -6 addr replace fd66::2/64 dev fpsc0` needs the capability CAP_NET_ADMIN: \
                 run fps-route as root",
            ),
            (
                Error::Ipv6Disabled {
                    command: command(),
                    device: device(),
                },
                "`ip -6 addr replace fd66::2/64 dev fpsc0` failed: IPv6 is switched off on fpsc0; \
                 switch it on with `sysctl -w net/ipv6/conf/fpsc0/disable_ipv6=0`",
            ),
            (
                Error::Refused {
                    command: command(),
                    errno: Errno::ENETDOWN,
                },
                "`ip -6 addr replace fd66::2/64 dev fpsc0` failed: Network is down",
            ),
            (
                Error::Output(io::Error::other("no space")),
                "cannot print the plan, so nothing further is done: no space",
            ),
            (
                Error::Runtime(io::Error::other("no memory")),
                "cannot start the runtime: no memory",
            ),
        ] {
            assert_eq!(error.chain(), line);
        }
    }
}
