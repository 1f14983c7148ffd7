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

/// A ruleset that nft(8) loads, as another program would have it loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NftRuleset {
    /// The host.
    pub on: HostName,
    /// What is loaded: all of it or, where something is wrong, nothing.
    pub text: String,
}

/// What changes of a firewall.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FirewallAction {
    /// These rules come behind those that stand.
    Add(Vec<FirewallRule>),
    /// All rules go that such acts have set.
    Clear,
}
