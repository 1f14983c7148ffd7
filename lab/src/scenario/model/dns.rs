//! Names: who knows them, and who must have been asked.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use fps_dns::zone::{Manner, Name, RecordType, Zone};
use fps_netlink::LinkName;

use super::HostName;

/// A domain name, as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DomainName {
    text: String,
    name: Name,
}

/// A DNS server of a host, on port 53 of all its addresses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DnsServer {
    /// Its zones.
    pub zones: Vec<Zone>,
    /// The names for which it misbehaves.
    pub manners: Vec<(DomainName, Manner)>,
}

/// What becomes of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DnsChange {
    /// The host of the server.
    pub on: HostName,
    /// Zones in place of those with the same apex, if it has them.
    pub zones: Vec<Zone>,
    /// How it misbehaves from now on, in place of how it did; none where that stays.
    pub manners: Option<Vec<(DomainName, Manner)>>,
}

/// A name leads to what it should, by each of these ways.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolves {
    /// Who asks.
    pub on: HostName,
    /// The name.
    pub name: DomainName,
    /// The type of its records.
    pub kind: RecordType,
    /// What must be answered.
    pub to: Wanted,
    /// How it is asked.
    pub by: Vec<Way>,
    /// The host whose server must be asked, and no other.
    pub asked: Option<HostName>,
    /// The only link by which the question may leave.
    pub via: Option<LinkName>,
    /// The deadline.
    pub within: Duration,
}

/// A server is not asked for a name, nor for one below it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotAsked {
    /// The host of the server.
    pub on: HostName,
    /// The name.
    pub name: DomainName,
    /// For how long.
    pub hold: Duration,
}

/// What an answer must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// These data, in any order, as they are written in a zone file.
    Data(BTreeSet<String>),
    /// There is no such name.
    NoName,
    /// There is no record of that type.
    NoData,
    /// The server refuses.
    Refused,
    /// The server fails.
    Failure,
}

/// How a program asks for a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By the name service switch, as getaddrinfo(3) does.
    Nss,
    /// With a datagram to the first server of /etc/resolv.conf.
    Udp,
    /// With a connection to it.
    Tcp,
    /// By resolvectl(1), over D-Bus.
    Resolvectl,
}

impl DomainName {
    /// Reads a name with dots; `.` is the root.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut name = Name::from_ascii(text).ok().filter(|_| !text.is_empty())?;
        name.set_fqdn(true);
        let text = text.to_owned();
        Some(Self { text, name })
    }

    /// As a program asks for it: without a dot at its end it may be a word that is searched.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// As it stands in a question.
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl fmt::Display for DomainName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Wanted {
    /// Its word in a scenario, where it is no data.
    pub const WORDS: [(&str, Self); 4] = [
        ("no-name", Self::NoName),
        ("no-data", Self::NoData),
        ("refused", Self::Refused),
        ("failure", Self::Failure),
    ];
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Data(data) = self {
            let data: Vec<_> = data.iter().map(String::as_str).collect();
            return f.write_str(&data.join(", "));
        }
        let word = Self::WORDS.iter().find(|(_, wanted)| wanted == self);
        f.write_str(word.map_or("", |(word, _)| word))
    }
}

impl Way {
    /// Each, with its word in a scenario.
    pub const ALL: [(&str, Self); 4] = [
        ("nss", Self::Nss),
        ("udp", Self::Udp),
        ("tcp", Self::Tcp),
        ("resolvectl", Self::Resolvectl),
    ];
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Nss => "nss",
            Self::Udp => "udp",
            Self::Tcp => "tcp",
            Self::Resolvectl => "resolvectl",
        })
    }
}
