//! What the kernel itself says of a packet that it has dropped.

/// A packet that the kernel of a host dropped, when the question was asked again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KernelDrop {
    /// The host.
    pub host: String,
    /// `question` or `answer`, or `packet` of one where NAT lets nobody tell.
    pub what: &'static str,
    /// The link that it came in by, or was to leave by.
    pub link: Option<String>,
    /// The kernel's reason, a name of `enum skb_drop_reason`.
    pub reason: String,
}

impl KernelDrop {
    pub(super) fn line(&self) -> String {
        let Self {
            host,
            what,
            link,
            reason,
        } = self;
        let place = link.as_ref().map(|it| format!(" on {it}"));
        let meaning = meaning(reason).map(|it| format!(" ({it})"));
        format!(
            "the kernel of {host} dropped the {what}{} when asked again: {reason}{}",
            place.unwrap_or_default(),
            meaning.unwrap_or_default()
        )
    }

    /// Whether a reason tells something of a packet. The others are those of a copy that a capture or
    /// another socket had, or of code that gives none.
    pub fn tells(reason: &str) -> bool {
        !matches!(
            reason,
            "NOT_SPECIFIED" | "PACKET_SOCK_ERROR" | "SKB_CONSUMED" | "SOCKET_FILTER"
        )
    }
}

/// Reasons that a route, a rule or a sysctl stands behind (include/net/dropreason-core.h).
const MEANINGS: &[(&str, &str)] = &[
    ("BPF_CGROUP_EGRESS", "a BPF program of its control group"),
    ("CPU_BACKLOG", "net.core.netdev_max_backlog is reached"),
    ("DEV_READY", "the link is not up, or not ready"),
    (
        "FULL_RING",
        "the program that has the TUN device does not read",
    ),
    (
        "IP_INADDRERRORS",
        "neither for the host itself nor to be passed on",
    ),
    ("IP_INNOROUTES", "no route for what came in"),
    ("IP_INVALID_DEST", "not an address that a packet can go to"),
    (
        "IP_INVALID_SOURCE",
        "not an address that a packet can come from",
    ),
    (
        "IP_LOCALNET",
        "an address of the loopback network on a link",
    ),
    (
        "IP_LOCAL_SOURCE",
        "by the host's own routes its source is the host itself",
    ),
    ("IP_OUTNOROUTES", "no route to send it by"),
    (
        "IP_RPFILTER",
        "reverse path filtering: the way back is not by that link",
    ),
    ("IPV6DISABLED", "IPv6 is switched off there"),
    ("NEIGH_CREATEFAIL", "the table of neighbours is full"),
    ("NEIGH_FAILED", "nobody answers for the next hop"),
    (
        "NEIGH_QUEUEFULL",
        "it waited for the next hop to answer, with too many others",
    ),
    (
        "NETFILTER_DROP",
        "a rule or a policy of nftables or iptables, or the tracking of connections",
    ),
    ("NO_SOCKET", "no program takes it there"),
    ("OTHERHOST", "the frame is addressed to another host"),
    ("PKT_TOO_BIG", "larger than the MTU of the way out"),
    (
        "QDISC_DROP",
        "the link's queue is full, or its discipline drops it",
    ),
    ("SOCKET_RCVBUFF", "the program does not read its socket"),
    ("TC_EGRESS", "a filter of tc(8) on the way out"),
    ("TC_INGRESS", "a filter of tc(8) on the way in"),
    ("UNHANDLED_PROTO", "nobody takes its protocol there"),
    ("XFRM_POLICY", "an IPsec policy"),
];

fn meaning(reason: &str) -> Option<&'static str> {
    let mut known = MEANINGS.iter();
    known.find(|(name, _)| *name == reason).map(|(_, it)| *it)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drop(reason: &str, link: Option<&str>) -> String {
        let dropped = KernelDrop {
            host: "gateway".to_owned(),
            what: "question",
            link: link.map(str::to_owned),
            reason: reason.to_owned(),
        };
        dropped.line()
    }

    #[test]
    fn a_reason_has_its_meaning_where_it_is_known() {
        assert_eq!(
            drop("PKT_TOO_BIG", Some("wan")),
            "the kernel of gateway dropped the question on wan when asked again: PKT_TOO_BIG (larger than \
             the MTU of the way out)"
        );
        assert_eq!(
            drop("0x20001", None),
            "the kernel of gateway dropped the question when asked again: 0x20001"
        );
    }
}
