//! The operations, in their order.

use std::fmt;

use fps_netlink::TableId;
use serde_json::json;

use crate::{Destination, Dns, FullTunnel, Intent, Operation, PlannedRoute, quote};

/// What is done with an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Show what `apply` would do.
    Plan,
    /// Make it so.
    Apply,
    /// Take it back.
    Cleanup {
        /// Set the device down, too.
        down: bool,
    },
}

impl Action {
    /// Whether it sets things, and does not take them away.
    pub(crate) fn adds(self) -> bool {
        !matches!(self, Self::Cleanup { .. })
    }

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Apply => "apply",
            Self::Cleanup { .. } => "cleanup",
        }
    }
}

/// The operations for an action, in the order in which the shell helper printed them. What of
/// them is needed, and when, is [`needed`](crate::needed).
///
/// Its text is what `fps-route` prints where nothing is carried out: a [`header`](Self::header),
/// then a line per operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    action: Action,
    intent: Intent,
    operations: Vec<Operation>,
}

impl Plan {
    /// Plans an action.
    pub fn new(action: Action, intent: Intent) -> Self {
        let operations = match action {
            Action::Plan | Action::Apply => apply(&intent),
            Action::Cleanup { down } => cleanup(&intent, down),
        };
        Self {
            action,
            intent,
            operations,
        }
    }

    /// The action.
    pub fn action(&self) -> Action {
        self.action
    }

    /// What is wanted.
    pub fn intent(&self) -> &Intent {
        &self.intent
    }

    /// The operations.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The plan as data: what its text says, each command as its words.
    pub fn json(&self, execute: bool) -> serde_json::Value {
        let operations: Vec<_> = self
            .operations
            .iter()
            .map(|operation| json!({"operation": operation.name(), "command": operation.words()}))
            .collect();
        json!({
            "action": self.action.name(),
            "tun": self.intent.tun().as_str(),
            "execute": execute,
            "operations": operations,
        })
    }

    /// The text, whose first line says whether the operations are carried out.
    pub fn text(&self, execute: bool) -> String {
        let mut text = self.header(execute);
        text.push('\n');
        for operation in &self.operations {
            text.push_str(&format!("+ {operation}\n"));
        }
        text
    }

    /// The first line of the text, which says whether the operations are carried out.
    pub fn header(&self, execute: bool) -> String {
        let (action, tun) = (self.action.name(), quote(self.intent.tun().as_str()));
        format!("# fps_linux_route action={action} tun={tun} execute={execute}")
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false))
    }
}

/// Addresses, MTU, up, routes: the kernel takes a route only into a device that is up
/// (ENETDOWN in `fib_check_nh_nongw`, net/ipv4/fib_semantics.c).
fn apply(intent: &Intent) -> Vec<Operation> {
    let device = || intent.tun().clone();
    let addresses = intent.addresses().iter().map(|&address| {
        let device = device();
        Operation::ReplaceAddress { address, device }
    });
    let mtu = intent.mtu().map(|mtu| {
        let device = device();
        Operation::SetMtu { mtu, device }
    });
    let up = Operation::SetUp { device: device() };
    let mut operations: Vec<_> = addresses.chain(mtu).chain([up]).collect();
    match intent.full_tunnel() {
        Some(full) => {
            let routes = bypasses(full).chain(defaults(intent, full));
            operations.extend(routes.map(Operation::ReplaceRoute));
            for rule in full.rules(intent.has_v6_address()) {
                operations.extend([Operation::DeleteRule(rule), Operation::AddRule(rule)]);
            }
            operations.push(Operation::FlushCache);
        }
        None => operations.extend(split(intent).map(Operation::ReplaceRoute)),
    }
    operations.extend(set_dns(intent));
    operations
}

/// DNS, routes, rules, bypasses, default, addresses, down: before its address, because the kernel
/// drops with an IPv4 address each route that has it as source (`fib_sync_down_addr`,
/// net/ipv4/fib_semantics.c), and what is then absent was ours to take away.
fn cleanup(intent: &Intent, down: bool) -> Vec<Operation> {
    let device = || intent.tun().clone();
    let mut operations = Vec::new();
    if intent.dns().is_some() {
        operations.push(Operation::RevertDns { device: device() });
    }
    operations.extend(split(intent).map(Operation::DeleteRoute));
    if let Some(full) = intent.full_tunnel() {
        let rules = full.rules(intent.has_v6_address());
        operations.extend(rules.into_iter().map(Operation::DeleteRule));
        let routes = bypasses(full).chain(defaults(intent, full));
        operations.extend(routes.map(Operation::DeleteRoute));
        operations.push(Operation::FlushCache);
    }
    operations.extend(intent.addresses().iter().map(|&address| {
        let device = device();
        Operation::DeleteAddress { address, device }
    }));
    operations.extend(down.then(|| Operation::SetDown { device: device() }));
    operations
}

/// The main table's routes into the tunnel.
fn split(intent: &Intent) -> impl Iterator<Item = PlannedRoute> {
    intent.routes().iter().map(|&to| PlannedRoute {
        to,
        via: None,
        device: intent.tun().clone(),
        table: TableId::MAIN,
    })
}

fn bypasses(full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let bypasses = full.bypasses.iter();
    bypasses.map(|bypass| PlannedRoute::bypass(bypass, full.table))
}

fn defaults(intent: &Intent, full: &FullTunnel) -> impl Iterator<Item = PlannedRoute> {
    let families = full.families(intent.has_v6_address());
    families.into_iter().map(|family| PlannedRoute {
        to: Destination::everything(family),
        via: None,
        device: intent.tun().clone(),
        table: full.table,
    })
}

fn set_dns(intent: &Intent) -> Vec<Operation> {
    let mut operations = Vec::new();
    let Dns { servers, domains } = intent.dns().cloned().unwrap_or_default();
    let device = || intent.tun().clone();
    if !servers.is_empty() {
        let device = device();
        operations.push(Operation::SetServers { servers, device });
    }
    if !domains.is_empty() {
        let device = device();
        operations.push(Operation::SetDomains { domains, device });
    }
    operations
}

#[cfg(test)]
mod tests {
    use fps_netlink::LinkName;

    use super::*;

    fn intent(addresses: &[&str], mtu: Option<&str>, routes: &[&str]) -> Intent {
        Intent::new(
            LinkName::new("fpsc0").unwrap(),
            addresses.iter().map(|text| text.parse().unwrap()).collect(),
            mtu.map(|text| text.parse().unwrap()),
            routes.iter().map(|text| text.parse().unwrap()).collect(),
        )
        .unwrap()
    }

    fn assert_text(action: Action, intent: Intent, expected: &[&str]) {
        let text = Plan::new(action, intent).to_string();
        assert_eq!(text.lines().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn applies_addresses_mtu_up_and_routes() {
        let intent = intent(&["10.66.0.2/30"], Some("1280"), &["10.66.1.0/24"]);
        assert_text(
            Action::Plan,
            intent,
            &[
                "# fps_linux_route action=plan tun=fpsc0 execute=false",
                "+ ip addr replace 10.66.0.2/30 dev fpsc0",
                "+ ip link set dev fpsc0 mtu 1280",
                "+ ip link set dev fpsc0 up",
                "+ ip route replace 10.66.1.0/24 dev fpsc0",
            ],
        );
    }

    #[test]
    fn names_the_family_of_ipv6() {
        let addresses = ["10.66.0.2/30", "fd66::2/64"];
        assert_text(
            Action::Apply,
            intent(&addresses, None, &["fd66:1::/48", "10.66.1.0/24"]),
            &[
                "# fps_linux_route action=apply tun=fpsc0 execute=false",
                "+ ip addr replace 10.66.0.2/30 dev fpsc0",
                "+ ip -6 addr replace fd66::2/64 dev fpsc0",
                "+ ip link set dev fpsc0 up",
                "+ ip -6 route replace fd66:1::/48 dev fpsc0",
                "+ ip route replace 10.66.1.0/24 dev fpsc0",
            ],
        );
    }

    #[test]
    fn cleans_up_routes_addresses_and_the_link() {
        let intent = intent(
            &["10.66.0.2/30", "fd66::2/64"],
            Some("1280"),
            &["10.66.1.0/24", "::/0"],
        );
        assert_text(
            Action::Cleanup { down: true },
            intent,
            &[
                "# fps_linux_route action=cleanup tun=fpsc0 execute=false",
                "+ ip route del 10.66.1.0/24 dev fpsc0",
                "+ ip -6 route del ::/0 dev fpsc0",
                "+ ip addr del 10.66.0.2/30 dev fpsc0",
                "+ ip -6 addr del fd66::2/64 dev fpsc0",
                "+ ip link set dev fpsc0 down",
            ],
        );
    }

    #[test]
    fn leaves_the_link_up_unless_told() {
        assert_text(
            Action::Cleanup { down: false },
            intent(&[], None, &[]),
            &["# fps_linux_route action=cleanup tun=fpsc0 execute=false"],
        );
    }

    #[test]
    fn says_when_it_is_in_earnest() {
        let plan = Plan::new(Action::Apply, intent(&[], None, &[]));
        assert_eq!(
            plan.header(true),
            "# fps_linux_route action=apply tun=fpsc0 execute=true"
        );
    }
}
