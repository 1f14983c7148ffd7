//! What explains a failure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::explain;

/// How the hosts decided about the packet that went astray, and what is likely the cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Explanation {
    /// The kernel's lookup on the host where it went astray; where the packet went into the tunnel and
    /// was lost there, a second one about the carrier.
    pub walks: Vec<Walk>,
    /// What is likely the cause, the likeliest first.
    pub causes: Vec<String>,
    /// What the kernel of the host where it went astray dropped, when the question was asked again; empty
    /// where it cannot be heard.
    pub drops: Vec<Drop>,
    /// The counters of those hosts that tell of lost packets, since the step began.
    pub counters: Vec<HostCounters>,
    /// Why there is no explanation, where something could not be read.
    pub trouble: Option<String>,
    /// All of it as lines for people, as the terminal shows it.
    pub text: Vec<String>,
}

/// How a host decides about a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Walk {
    /// The host.
    pub host: String,
    /// The packet: where to, with which mark, from where.
    pub packet: String,
    /// The rules up to the one that decides, in the order of their turns.
    pub rules: Vec<Rule>,
    /// What decided; none where no rule led to a route.
    pub decision: Option<Decision>,
    /// Where it leads, in words.
    pub end: String,
    /// What the kernel itself says, where that is something else.
    pub kernel: Option<String>,
}

/// A rule, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Rule {
    /// Its priority.
    pub priority: u32,
    /// The rule, as `ip rule` prints it.
    pub rule: String,
    /// What came of it.
    pub finding: String,
    /// Whether it was for the packet at all.
    pub chosen: bool,
    /// Whether it decided.
    pub decides: bool,
}

/// What decided about a packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Decision {
    /// The priority of the rule.
    pub priority: u32,
    /// The table in which the route is; none where the rule itself refuses.
    pub table: Option<u32>,
    /// The route, as `ip route` prints it; none where the rule itself refuses.
    pub route: Option<String>,
}

/// A packet that the kernel dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Drop {
    /// The host.
    pub host: String,
    /// Which packet: `question` or `answer`, or `packet` of one where NAT lets nobody tell.
    pub packet: String,
    /// The link that it came in by, or was to leave by.
    pub link: Option<String>,
    /// The kernel's reason, a name of `enum skb_drop_reason`: `IP_RPFILTER`.
    pub reason: String,
}

/// The counters of a host that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct HostCounters {
    /// The host.
    pub host: String,
    /// Each counter that moved.
    pub changes: Vec<Change>,
}

/// A counter that moved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub struct Change {
    /// Its name: `TcpExt.IPReversePathFilter`, `eth0.tx_dropped`.
    pub counter: String,
    /// By how much.
    pub by: i64,
}

impl From<&explain::Explanation> for Explanation {
    fn from(from: &explain::Explanation) -> Self {
        let counters = from.counted.iter().map(|it| HostCounters {
            host: it.host.clone(),
            changes: it.changes.iter().map(Change::from).collect(),
        });
        Self {
            walks: from.walks.iter().map(Walk::from).collect(),
            causes: from.causes.clone(),
            drops: from.drops.iter().map(Drop::from).collect(),
            counters: counters.collect(),
            trouble: from.trouble.clone(),
            text: from.lines(),
        }
    }
}

impl From<&explain::KernelDrop> for Drop {
    fn from(from: &explain::KernelDrop) -> Self {
        Self {
            host: from.host.clone(),
            packet: from.what.to_owned(),
            link: from.link.clone(),
            reason: from.reason.clone(),
        }
    }
}

impl From<&(String, i64)> for Change {
    fn from((counter, by): &(String, i64)) -> Self {
        Self {
            counter: counter.clone(),
            by: *by,
        }
    }
}

impl From<&explain::Walk> for Walk {
    fn from(from: &explain::Walk) -> Self {
        let rules = from.steps.iter().map(|step| Rule {
            priority: step.priority,
            rule: step.rule.clone(),
            finding: step.finding.clone(),
            chosen: step.chosen,
            decides: step.decides,
        });
        let decision = from.decision.as_ref().map(|it| Decision {
            priority: it.priority,
            table: it.table.map(|table| table.0),
            route: it.route.clone(),
        });
        Self {
            host: from.host.clone(),
            packet: from.packet.clone(),
            rules: rules.collect(),
            decision,
            end: from.end.clone(),
            kernel: from.kernel.clone(),
        }
    }
}
