//! The kernel's lookup, rule by rule.

use super::{Tables, show};
use fps_netlink::{
    Flow, Fwmark, IfIndex, Netlink, Result, Route, RouteKind, Rule, TableId, Turn, Verdict,
    protocol_name,
};

/// How many rules are shown that were not for the packet.
const PASSED_BY: usize = 4;

/// How many rules are shown at most.
const SHOWN: usize = 6;

/// How a host decides about a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// The host.
    pub host: String,
    /// The packet: where to, with which mark, from where.
    pub packet: String,
    /// The rules up to the one that decides, in the order of their turns.
    pub steps: Vec<Step>,
    /// What decided; none where no rule did.
    pub decision: Option<Decision>,
    /// Where it leads.
    pub end: String,
    /// What the kernel says, where it says something else: a rule may choose by what the lab does not
    /// read, and a route may have changed since.
    pub kernel: Option<String>,
}

/// What decides about a packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The rule's priority.
    pub priority: u32,
    /// The route's table; none where the rule itself refuses.
    pub table: Option<TableId>,
    /// The route, as `ip route` prints it; none where the rule itself refuses.
    pub route: Option<String>,
}

/// A rule and what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Its priority.
    pub priority: u32,
    /// The rule, as `ip rule` prints it.
    pub rule: String,
    /// What came of it.
    pub finding: String,
    /// Whether it decided.
    pub decides: bool,
    /// Whether it was for the packet at all.
    pub chosen: bool,
}

impl Walk {
    /// Walks through the rules as the kernel does, by what is known of a host alone.
    pub fn of(host: &str, tables: &Tables, flow: &Flow) -> Self {
        let mut steps = Vec::new();
        let verdict = tables.fib().walk(flow, |rule, turn| {
            steps.push(Step {
                priority: rule.priority.0,
                rule: show::rule(rule),
                finding: finding(rule, turn, tables),
                decides: turn == Turn::Decided,
                chosen: !matches!(turn, Turn::NotChosen | Turn::Unknown),
            });
        });
        let end = end(verdict, tables);
        if let Some(last) = steps.last_mut().filter(|step| step.decides) {
            last.finding.clone_from(&end);
        }
        Self {
            host: host.to_owned(),
            packet: packet(flow, tables),
            steps,
            decision: decision(verdict, tables),
            end,
            kernel: None,
        }
    }

    /// The same, and asks the kernel itself (RTM_GETROUTE).
    pub async fn take(host: &str, netlink: &Netlink, tables: &Tables, flow: &Flow) -> Result<Self> {
        let verdict = tables.fib().lookup(flow);
        let kernel = match netlink.lookup(flow).await? {
            Ok(route) if agrees(flow, verdict, &route) => None,
            Ok(route) => {
                let table = route.table;
                Some(format!("{} (table {table})", show::route(&route, tables)))
            }
            Err(errno) => verdict
                .link()
                .map(|_| format!("no way: {}", errno.desc().to_lowercase())),
        };
        Ok(Self {
            kernel,
            ..Self::of(host, tables, flow)
        })
    }

    /// As lines of text: the rules that were for the packet, and a few of the others.
    pub fn lines(&self) -> impl Iterator<Item = String> + use<> {
        let mut lines = vec![format!("{} decides about {}:", self.host, self.packet)];
        let passed_by = self.steps.iter().filter(|step| !step.chosen).count();
        let all = passed_by <= PASSED_BY;
        let shown: Vec<&Step> = self
            .steps
            .iter()
            .filter(|step| all || step.chosen)
            .collect();
        let left_out = shown.len().saturating_sub(SHOWN);
        if left_out > 0 {
            lines.push(format!(
                "   ({left_out} rules before that have no route for it)"
            ));
        }
        let shown = shown[left_out..].iter();
        lines.extend(shown.map(|step| {
            let sign = if step.decides { "=>" } else { "  " };
            let Step {
                priority,
                rule,
                finding,
                ..
            } = step;
            format!("{sign} {priority:>5} {rule}: {finding}")
        }));
        if !all {
            lines.push(format!(
                "   ({passed_by} rules that are not for it left out)"
            ));
        }
        if self.steps.iter().all(|step| !step.decides) {
            lines.push(format!("=> {}", self.end));
        }
        if let Some(kernel) = &self.kernel {
            lines.push(format!("   but the kernel says: {kernel}"));
        }
        lines.into_iter()
    }
}

fn packet(flow: &Flow, tables: &Tables) -> String {
    let mut text = flow.to.to_string();
    if let Some((protocol, port)) = flow.port {
        text += &format!(" {} {port}", protocol_name(protocol));
    }
    if let Some(from) = flow.from {
        text += &format!(" from {from}");
    }
    match flow.mark {
        Fwmark(0) => text += " without a mark",
        mark => text += &format!(" with mark {mark}"),
    }
    let by_users = || tables.rules.iter().any(|rule| rule.users.is_some());
    if let Some(user) = flow.user.filter(|_| flow.came_in.is_none() && by_users()) {
        text += &format!(", of user {user}");
    }
    if let Some(link) = flow.came_in {
        text += &format!(", come in by {}", tables.name(link));
    }
    if let Some(link) = flow.bound_to {
        text += &format!(", bound to {}", tables.name(link));
    }
    text
}

fn finding(rule: &Rule, turn: Turn<'_>, tables: &Tables) -> String {
    match turn {
        Turn::Unknown if rule.users.is_some() && !rule.narrower => {
            "chooses by the user, who is not named; passed over".to_owned()
        }
        Turn::NotChosen => "not for it".to_owned(),
        Turn::Unknown => "chooses by more than the lab reads; passed over".to_owned(),
        Turn::NoRoute => "no route for it".to_owned(),
        Turn::Throws(route) => format!("{}, so the next rule", show::route(route, tables)),
        Turn::Suppressed(route) => {
            format!("{} does not count (suppressed)", show::route(route, tables))
        }
        Turn::PassedOn => "goes on".to_owned(),
        Turn::Decided => "decides".to_owned(),
    }
}

fn end(verdict: Verdict<'_>, tables: &Tables) -> String {
    match verdict {
        Verdict::Leaves { route, .. } => show::route(route, tables),
        Verdict::Refused {
            route: Some(route), ..
        } => show::route(route, tables),
        Verdict::Refused { rule, .. } => format!("refused by this rule ({})", show::rule(rule)),
        Verdict::Lost => "no rule leads to a route: network is unreachable".to_owned(),
        Verdict::TakenForNeighbour(link) => {
            format!(
                "no route, so it is taken for a neighbour on {}",
                tables.name(link)
            )
        }
    }
}

/// The rule and the route that a packet's way depends on.
fn decision(verdict: Verdict<'_>, tables: &Tables) -> Option<Decision> {
    let (rule, route) = match verdict {
        Verdict::Leaves { rule, route } => (rule, Some(route)),
        Verdict::Refused { rule, route } => (rule, route),
        Verdict::Lost | Verdict::TakenForNeighbour(_) => return None,
    };
    Some(Decision {
        priority: rule.priority.0,
        table: route.map(|route| route.table),
        route: route.map(|route| show::route(route, tables)),
    })
}

/// Whether the kernel's answer is the route that the walk came to.
fn agrees(flow: &Flow, verdict: Verdict<'_>, route: &Route) -> bool {
    match verdict {
        // What stays here leads to the loopback device; only of IPv4 packets of our own the answer
        // tells the table, and of a broadcast that is main.
        Verdict::Leaves { route: found, .. } if found.kind == RouteKind::Local => {
            route.link == Some(IfIndex::LOOPBACK)
        }
        Verdict::Leaves { route: found, .. } => {
            let broadcast = found.kind == RouteKind::Broadcast;
            let told = flow.came_in.is_none() && flow.to.is_ipv4() && !broadcast;
            found.link == route.link && (found.table == route.table || !told)
        }
        Verdict::TakenForNeighbour(link) => route.link == Some(link),
        Verdict::Refused { .. } | Verdict::Lost => false,
    }
}
