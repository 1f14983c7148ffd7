//! The operations, in their order.

mod lan;
mod operation;
mod quote;
mod route;
mod sequence;

pub use lan::Underlay;
pub use operation::Operation;
pub use quote::quote;
pub use route::PlannedRoute;

use std::collections::HashSet;
use std::fmt::{self, Write as _};

use fps_netlink::TableId;
use serde_json::json;

use crate::Intent;

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
/// them is needed, and when, is [`needed`](crate::needed()).
///
/// Its text is what `fps-route` prints where nothing is carried out: a [`header`](Self::header),
/// then a line per operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    action: Action,
    intent: Intent,
    operations: Vec<Operation>,
    /// What is for IPv6 is shown, but not carried out.
    without_ipv6: bool,
}

impl Plan {
    /// Plans an action. Where the intent keeps the LAN, its routes come from the underlay.
    pub fn new(action: Action, intent: Intent, underlay: Underlay<'_>) -> Self {
        let operations = match action {
            Action::Plan | Action::Apply => sequence::apply(&intent, underlay),
            Action::Cleanup { down } => sequence::cleanup(&intent, down, underlay),
        };
        Self {
            action,
            intent,
            operations,
            without_ipv6: false,
        }
    }

    /// Leaves IPv6 out where a host has none, and nobody has named it: that a selector of all packets
    /// is for IPv6, too, is only meant to keep that from going around the tunnel.
    #[must_use]
    pub(crate) fn for_host(mut self, has_ipv6: bool) -> Self {
        self.without_ipv6 = !has_ipv6 && self.action.adds() && !self.intent.names_ipv6();
        self
    }

    /// Whether what is for IPv6 is not carried out.
    pub fn leaves_out_ipv6(&self) -> bool {
        self.without_ipv6
    }

    /// The operations that are carried out, with their places.
    pub(crate) fn wanted(&self) -> impl Iterator<Item = (usize, &Operation)> {
        let operations = self.operations.iter().enumerate();
        operations.filter(|(_, operation)| !(self.without_ipv6 && operation.is_for_ipv6()))
    }

    /// What keeps the LAN's routes alone.
    pub(crate) fn of_lan(intent: &Intent, underlay: Underlay<'_>) -> Self {
        let full = intent.full_tunnel();
        let operations = full.map(|full| sequence::lan(intent, full, underlay));
        Self {
            action: Action::Apply,
            intent: intent.clone(),
            operations: operations.unwrap_or_default(),
            without_ipv6: false,
        }
    }

    /// What guards against DNS leaks where there is no tunnel.
    pub(crate) fn of_leak_guard(intent: &Intent, underlay: Underlay<'_>) -> Self {
        let full = intent.full_tunnel();
        let operations = full.map(|full| sequence::leak_guard(intent, full, underlay));
        Self {
            action: Action::Apply,
            intent: intent.clone(),
            operations: operations.unwrap_or_default(),
            without_ipv6: false,
        }
    }

    /// The same where other intents may stand as well, as after options that were other then:
    /// what cleans them up goes into its places among the operations.
    #[must_use]
    pub fn with_recorded(mut self, recorded: &[Intent], underlay: Underlay<'_>) -> Self {
        let mut known: HashSet<_> = self.operations.iter().map(ToString::to_string).collect();
        let before = self.operations.len();
        for intent in recorded {
            let mut more = sequence::cleanup(intent, false, underlay);
            // `--no-dns` leaves DNS alone, whatever was set.
            more.retain(|operation| {
                let dns = matches!(operation, Operation::RevertDns { .. });
                !(dns && self.intent.dns().is_none()) && known.insert(operation.to_string())
            });
            self.operations.extend(more);
        }
        if self.operations.len() > before {
            self.operations.sort_by_key(cleanup_place);
        }
        self
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
    pub fn json(&self, execute: bool, leftovers: &[Operation]) -> serde_json::Value {
        let operations: Vec<_> = self
            .operations
            .iter()
            .chain(leftovers)
            .map(|operation| json!({"operation": operation.name(), "command": operation.words()}))
            .collect();
        json!({
            "action": self.action.name(),
            "tun": self.intent.tun().as_str(),
            "execute": execute,
            "operations": operations,
        })
    }

    /// The text, whose first line says whether the operations are carried out. Behind those of the
    /// plan come those for what is left from before.
    pub fn text(&self, execute: bool, leftovers: &[Operation]) -> String {
        let mut text = self.header(execute);
        text.push('\n');
        for operation in self.operations.iter().chain(leftovers) {
            writeln!(text, "+ {operation}").expect("a String grows");
        }
        text
    }

    /// The first line of the text, which says whether the operations are carried out.
    pub fn header(&self, execute: bool) -> String {
        let tun = self.intent.tun();
        let (action, tun) = (self.action.name(), quote(tun.as_str()));
        format!("# fps_linux_route action={action} tun={tun} execute={execute}")
    }
}

/// Where an operation stands when cleaning up.
fn cleanup_place(operation: &Operation) -> u8 {
    match operation {
        Operation::RevertDns { .. } => 0,
        Operation::DeleteRoute(route) if route.table == TableId::MAIN => 1,
        Operation::DeleteRule(_) => 2,
        Operation::FlushCache => 4,
        Operation::DeleteAddress { .. } => 5,
        Operation::SetDown { .. } => 6,
        _ => 3,
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(false, &[]))
    }
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
        let text = Plan::new(action, intent, Underlay::default()).to_string();
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
        let plan = Plan::new(Action::Apply, intent(&[], None, &[]), Underlay::default());
        assert_eq!(
            plan.header(true),
            "# fps_linux_route action=apply tun=fpsc0 execute=true"
        );
    }
}
