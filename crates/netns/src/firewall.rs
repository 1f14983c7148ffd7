//! A host's firewall: rules that drop or refuse packets, in an nftables table of their own.

use std::fmt;
use std::os::fd::OwnedFd;

use fps_netlink::{Family, LinkName};
use ipnet::IpNet;
use netlink_packet_core::{NLM_F_APPEND, NLM_F_CREATE};
use netlink_packet_netfilter::nftables::{InetHookNumber, MetaKey, NfTablesMessage, RuleAttribute};
use nix::errno::Errno;
use nix::libc;

use crate::error::{Error, Result};
use crate::expression::{Expression, Refusal, Side};
use crate::transaction::{Base, Transaction, table};

/// The name of the table of a host's firewall, as `nft list ruleset` shows it. Each rule in it has itself as its
/// comment.
pub const FIREWALL_TABLE: &str = "fps-lab-firewall";

/// How long a comment may be: the kernel takes 256 bytes with a rule (`NFT_USERDATA_MAXLEN`), of which three are
/// its kind, its length and its zero. nft(8) lets nobody write more than 128, and shows what is longer.
const COMMENT: usize = 253;

/// One rule. Each part that is there must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallRule {
    /// Which packets it sees.
    pub chain: FirewallChain,
    /// Of which family they are.
    pub family: Family,
    /// The link that they have come by; nothing that leaves the host itself has one.
    pub arrives_by: Option<LinkName>,
    /// The link that they leave by; nothing that is for the host itself has one.
    pub leaves_by: Option<LinkName>,
    /// Where they are from; of the rule's family.
    pub from: Option<IpNet>,
    /// Where they go to; of the rule's family.
    pub to: Option<IpNet>,
    /// What is in them.
    pub content: Option<FirewallContent>,
    /// What becomes of them.
    pub does: FirewallVerdict,
}

/// Where in the host a rule sees packets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallChain {
    /// What is for the host itself.
    In,
    /// What the host itself sends, the answers of its kernel too.
    Out,
    /// What it passes on.
    Forward,
}

/// What is in a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallContent {
    /// TCP, with these ports.
    Tcp(FirewallPorts),
    /// UDP, with these ports.
    Udp(FirewallPorts),
    /// ICMP, or ICMPv6 in a rule for IPv6, of this kind.
    Icmp(Option<IcmpKind>),
}

/// The ports of a packet; any where none is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirewallPorts {
    /// Its sender's.
    pub from: Option<u16>,
    /// Its receiver's.
    pub to: Option<u16>,
}

/// A kind of ICMP and of ICMPv6 message (RFC 792, RFC 4443, RFC 4861).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IcmpKind {
    /// "Fragmentation needed" and "packet too big", which path MTU discovery lives on (RFC 1191,
    /// RFC 8201).
    TooBig,
    /// "Destination unreachable" of whatever code; in IPv4 "fragmentation needed" is one of them.
    Unreachable,
    /// "Time exceeded".
    TimeExceeded,
    /// The question of ping(8).
    EchoRequest,
    /// Its answer.
    EchoReply,
    /// "Redirect".
    Redirect,
    /// "Router solicitation".
    RouterSolicitation,
    /// "Router advertisement".
    RouterAdvertisement,
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirewallVerdict {
    /// It is lost without a word.
    Drop,
    /// Its sender is told "port unreachable", as by `reject` of nft(8).
    Reject,
    /// Its sender is sent a RST; for TCP only.
    Reset,
}

impl IcmpKind {
    /// Its type, and its code where the type has others that are something else.
    fn numbers(self, family: Family) -> (u8, Option<u8>) {
        match (self, family) {
            (Self::TooBig, Family::V4) => (3, Some(4)),
            (Self::TooBig, Family::V6) => (2, None),
            (Self::Unreachable, Family::V4) => (3, None),
            (Self::Unreachable, Family::V6) => (1, None),
            (Self::TimeExceeded, Family::V4) => (11, None),
            (Self::TimeExceeded, Family::V6) => (3, None),
            (Self::EchoRequest, Family::V4) => (8, None),
            (Self::EchoRequest, Family::V6) => (128, None),
            (Self::EchoReply, Family::V4) => (0, None),
            (Self::EchoReply, Family::V6) => (129, None),
            (Self::Redirect, Family::V4) => (5, None),
            (Self::Redirect, Family::V6) => (137, None),
            (Self::RouterSolicitation, Family::V4) => (10, None),
            (Self::RouterSolicitation, Family::V6) => (133, None),
            (Self::RouterAdvertisement, Family::V4) => (9, None),
            (Self::RouterAdvertisement, Family::V6) => (134, None),
        }
    }
}

impl FirewallChain {
    fn base(self) -> Base<'static> {
        let (name, hook) = match self {
            Self::In => ("in", InetHookNumber::LocalIn),
            Self::Out => ("out", InetHookNumber::LocalOut),
            Self::Forward => ("forward", InetHookNumber::Forward),
        };
        Base {
            table: FIREWALL_TABLE,
            name,
            kind: "filter",
            hook,
            // `NF_IP_PRI_FILTER` in linux/netfilter_ipv4.h.
            priority: 0,
        }
    }
}

/// Adds rules behind those that stand, with the table and the chains where they are missing, as one
/// transaction: `nft add rule inet fps-lab-firewall CHAIN …`
///
/// The socket is a NETLINK_NETFILTER one of the host's namespace. A kernel that does not answer
/// within ten seconds is an error.
pub fn add_firewall_rules(socket: OwnedFd, rules: &[FirewallRule]) -> Result<()> {
    let mut transaction = Transaction::new();
    transaction.push(
        NfTablesMessage::NewTable(table(FIREWALL_TABLE)),
        NLM_F_CREATE,
    );
    for rule in rules {
        let base = rule.chain.base();
        transaction.push(NfTablesMessage::NewChain(base.message()), NLM_F_CREATE);
        let mut message = rule.expression().rule(FIREWALL_TABLE, base.name);
        message.attributes.extend(comment(rule));
        transaction.push(
            NfTablesMessage::NewRule(message),
            NLM_F_CREATE | NLM_F_APPEND,
        );
    }
    transaction.commit(socket).map_err(Error::Firewall)
}

/// The rule itself, as what `nft list ruleset` shows as its comment, so that who has no nft(8) can be told it
/// too: `NFTNL_UDATA_RULE_COMMENT`, its length and a text that ends with a zero (libnftnl/udata.h). The kernel
/// keeps it as it is. A rule has none if it is too long for that, and no rule of a lab is.
fn comment(rule: &FirewallRule) -> Option<RuleAttribute> {
    let text = rule.to_string();
    let (_chain, text) = text.split_once(' ').expect("a rule is more than a chain");
    let length = text.len() + 1;
    let length = u8::try_from(length)
        .ok()
        .filter(|_| text.len() <= COMMENT)?;
    let mut bytes = vec![0, length];
    bytes.extend(text.as_bytes());
    bytes.push(0);
    Some(RuleAttribute::UserData(bytes))
}

/// Takes all such rules away: `nft delete table inet fps-lab-firewall`. That there are none is an
/// error.
pub fn clear_firewall(socket: OwnedFd) -> Result<()> {
    let mut transaction = Transaction::new();
    transaction.push(NfTablesMessage::DeleteTable(table(FIREWALL_TABLE)), 0);
    transaction
        .commit(socket)
        .map_err(|cause| match cause.raw_os_error().map(Errno::from_raw) {
            Some(Errno::ENOENT) => Error::NoFirewall,
            _ => Error::Firewall(cause),
        })
}

/// What compares the family.
fn family_is(family: Family) -> Expression {
    let mut all = Expression::default();
    let family = match family {
        Family::V4 => libc::NFPROTO_IPV4,
        Family::V6 => libc::NFPROTO_IPV6,
    };
    all.meta(MetaKey::Nfproto, byte(family));
    all
}

/// What compares the family and what is in a packet.
pub(crate) fn content_is(family: Family, content: FirewallContent) -> Expression {
    let mut all = family_is(family);
    content.compare(family, &mut all);
    all
}

fn byte(number: libc::c_int) -> Vec<u8> {
    vec![u8::try_from(number).expect("a protocol is a byte")]
}

impl FirewallRule {
    fn expression(&self) -> Expression {
        let mut all = family_is(self.family);
        if let Some(link) = &self.arrives_by {
            all.link(MetaKey::Iifname, link);
        }
        if let Some(link) = &self.leaves_by {
            all.link(MetaKey::Oifname, link);
        }
        for (side, net) in [(Side::Source, self.from), (Side::Destination, self.to)] {
            if let Some(net) = net {
                all.address(side, net);
            }
        }
        if let Some(content) = self.content {
            content.compare(self.family, &mut all);
        }
        match self.does {
            FirewallVerdict::Drop => all.drop(),
            FirewallVerdict::Reject => all.refuse(Refusal::PortUnreachable),
            FirewallVerdict::Reset => all.refuse(Refusal::Reset),
        };
        all
    }
}

impl FirewallContent {
    fn protocol(self, family: Family) -> libc::c_int {
        match (self, family) {
            (Self::Tcp(_), _) => libc::IPPROTO_TCP,
            (Self::Udp(_), _) => libc::IPPROTO_UDP,
            (Self::Icmp(_), Family::V4) => libc::IPPROTO_ICMP,
            (Self::Icmp(_), Family::V6) => libc::IPPROTO_ICMPV6,
        }
    }

    fn compare(self, family: Family, all: &mut Expression) {
        all.meta(MetaKey::L4Proto, byte(self.protocol(family)));
        match self {
            Self::Tcp(ports) | Self::Udp(ports) => {
                for (side, port) in [(Side::Source, ports.from), (Side::Destination, ports.to)] {
                    if let Some(port) = port {
                        all.port(side, port);
                    }
                }
            }
            Self::Icmp(None) => {}
            Self::Icmp(Some(kind)) => {
                let (kind, code) = kind.numbers(family);
                all.icmp(kind, code);
            }
        }
    }
}

/// As nft(8) writes it.
impl fmt::Display for FirewallRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (family, ip, icmp) = match self.family {
            Family::V4 => ("ipv4", "ip", "icmp"),
            Family::V6 => ("ipv6", "ip6", "icmpv6"),
        };
        write!(f, "{} meta nfproto {family}", self.chain.base().name)?;
        if let Some(link) = &self.arrives_by {
            write!(f, " iifname {link}")?;
        }
        if let Some(link) = &self.leaves_by {
            write!(f, " oifname {link}")?;
        }
        if let Some(net) = self.from {
            write!(f, " {ip} saddr {net}")?;
        }
        if let Some(net) = self.to {
            write!(f, " {ip} daddr {net}")?;
        }
        match self.content {
            None => {}
            Some(FirewallContent::Tcp(ports)) => ports.show(f, "tcp")?,
            Some(FirewallContent::Udp(ports)) => ports.show(f, "udp")?,
            Some(FirewallContent::Icmp(None)) => write!(f, " meta l4proto {icmp}")?,
            Some(FirewallContent::Icmp(Some(kind))) => {
                let (kind, code) = kind.numbers(self.family);
                write!(f, " {icmp} type {kind}")?;
                if let Some(code) = code {
                    write!(f, " {icmp} code {code}")?;
                }
            }
        }
        f.write_str(match self.does {
            FirewallVerdict::Drop => " drop",
            FirewallVerdict::Reject => " reject",
            FirewallVerdict::Reset => " reject with tcp reset",
        })
    }
}

impl FirewallPorts {
    fn show(self, f: &mut fmt::Formatter<'_>, protocol: &str) -> fmt::Result {
        if let Self {
            from: None,
            to: None,
        } = self
        {
            return write!(f, " meta l4proto {protocol}");
        }
        if let Some(port) = self.from {
            write!(f, " {protocol} sport {port}")?;
        }
        if let Some(port) = self.to {
            write!(f, " {protocol} dport {port}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_rule_is_told_whole() {
        let link = || LinkName::new("fifteen-letters").ok();
        let net = || "2001:db8:1111:2222:3333:4444:5555:6666/128".parse().ok();
        let port = Some(65535);
        let rule = FirewallRule {
            chain: FirewallChain::Forward,
            family: Family::V6,
            arrives_by: link(),
            leaves_by: link(),
            from: net(),
            to: net(),
            content: Some(FirewallContent::Tcp(FirewallPorts {
                from: port,
                to: port,
            })),
            does: FirewallVerdict::Reset,
        };
        let text = rule.to_string();
        let text = text.strip_prefix("forward ").unwrap();
        let Some(RuleAttribute::UserData(data)) = comment(&rule) else {
            panic!("{} bytes are too long", text.len());
        };
        assert_eq!(&data[2..data.len() - 1], text.as_bytes());
        assert_eq!(
            (usize::from(data[1]), data.last()),
            (text.len() + 1, Some(&0))
        );
    }
}
