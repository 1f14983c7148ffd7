//! What a step does: tables with exactly one verb.

mod addr;
mod firewall;
mod footprint;
mod impair;
mod kernel;
mod link;
mod routes;
mod rule;
mod run;

use schemars::JsonSchema;

use super::advertise::AdvertisementChange;
use super::dhcp::{DhcpCall, DhcpServerChange};
use super::dns::DnsChange;
use super::text::Name;
use addr::AddressChange;
use firewall::Firewall;
use footprint::FootprintCall;
use impair::Impair;
use kernel::{Nft, RouteChange, Sysctl};
use link::{LinkChange, Roam};
use routes::Routes;
use rule::RuleChange;
use run::Run;

/// An act: exactly one verb.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct Act {
    footprint: Option<FootprintCall>,
    #[schemars(flatten)]
    own: OwnAct,
}

/// An act of a footprint: exactly one verb, and `{NAME}` for the value of a parameter.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct FootprintAct {
    #[schemars(flatten)]
    own: OwnAct,
}

/// What is done in the lab, whoever says it.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct OwnAct {
    /// `start`: starts `"client"`, `"server"`, `"origin"`, `"carrier"`, `"tunnel"` for all of them, or a `[program]`, and waits until it is ready.
    start: Option<Name>,
    /// `stop`: ends a program by SIGTERM and waits: one of those that `start` takes, or `"routes"` for a route engine that watches.
    stop: Option<Name>,
    /// `kill`: ends a program by SIGKILL: one of those that `stop` takes.
    kill: Option<Name>,
    routes: Option<Routes>,
    roam: Option<Roam>,
    dns: Option<DnsChange>,
    dhcp: Option<DhcpCall>,
    dhcp_server: Option<DhcpServerChange>,
    advertise: Option<AdvertisementChange>,
    impair: Option<Impair>,
    #[schemars(flatten)]
    early: EarlyAct,
}

/// What makes sense before any program starts, too.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case")]
pub(super) struct EarlyAct {
    sysctl: Option<Sysctl>,
    route: Option<RouteChange>,
    rule: Option<RuleChange>,
    link: Option<LinkChange>,
    run: Option<Run>,
    addr: Option<AddressChange>,
    firewall: Option<Firewall>,
    nft: Option<Nft>,
}

/// An act before any program starts: exactly one verb.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields, extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct Seed {
    footprint: Option<FootprintCall>,
    #[schemars(flatten)]
    early: EarlyAct,
}

/// Whether something comes or goes.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
enum Action {
    /// It comes.
    Add,
    /// It goes.
    Delete,
}
