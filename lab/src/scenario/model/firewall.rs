//! What a host drops or refuses.

use fps_netns::FirewallRule;

use super::HostName;

/// A change of a host's firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FirewallChange {
    /// The host.
    pub on: HostName,
    /// What changes.
    pub what: FirewallAction,
}

/// What changes of a firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirewallAction {
    /// These rules come behind those that stand.
    Add(Vec<FirewallRule>),
    /// All rules go that such acts have set.
    Clear,
}
