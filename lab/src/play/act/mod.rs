//! One function for each kind of act.

mod describe;
pub(super) mod dhcp;
mod routes;

use std::time::Duration;

use fps_netlink::Address;
use fps_netns::{add_firewall_rules, clear_firewall};

use super::StageError;
use super::programs::{self, Ended, Order};
use super::stage::Stage;
use super::{fps, tunnel};
use crate::sandbox::{FileSpec, Signal, SocketKind};
use crate::scenario::{
    Act, AddressChange, FirewallAction, FirewallChange, LinkChange, LinkState, NftRuleset,
    ProgramName, ProgramRef, Resolver, RouteAction, RouteChange, RuleChange, Run, Sysctl, Tunnel,
    TunnelRole, Vpn, resolver_programs,
};

/// Where a host has the ruleset that is loaded.
const RULESET: &str = "/run/ruleset.nft";
/// How long nft(8) may take.
const NFT_PATIENCE: Duration = Duration::from_secs(10);

/// Performs an act, to its end.
pub(super) async fn perform(stage: &mut Stage<'_>, act: &Act) -> Result<(), StageError> {
    change(stage, act).await?;
    // Any change of a link may have brought a lease, and so may the time that has gone by.
    dhcp::pass_on(stage).await
}

async fn change(stage: &mut Stage<'_>, act: &Act) -> Result<(), StageError> {
    match act {
        Act::Start(program) => start(stage, program).await,
        Act::Stop(program) => end(stage, program, Signal::Terminate).await,
        Act::Kill(program) => end(stage, program, Signal::Kill).await,
        Act::Run(command) => run(stage, command).await,
        Act::Routes(call) => routes::call(stage, call).await,
        Act::Link(change) => change_link(stage, change).await,
        Act::Roam(roam) => {
            stage.lab.roam(roam).await?;
            dhcp::renew(stage, &roam.on, roam.link).await
        }
        Act::Sysctl(sysctl) => write_sysctl(stage, sysctl),
        Act::Route(change) => change_route(stage, change).await,
        Act::Rule(change) => change_rules(stage, change).await,
        Act::Dns(change) => {
            let server = stage.lab.host(&change.on).name_server();
            server.expect("validation has seen it").change(change);
            Ok(())
        }
        Act::Addr(change) => change_address(stage, change).await,
        Act::Nft(ruleset) => load_ruleset(stage, ruleset).await,
        Act::Impair(change) => {
            let means = stage.lab.impair(change).await?;
            stage.remark(means);
            Ok(())
        }
        Act::Firewall(change) => change_firewall(stage, change),
        Act::Dhcp(call) => Ok(stage.lab.call_client(call).await?),
        Act::DhcpServer(change) => {
            dhcp::change_server(stage, change);
            Ok(())
        }
        Act::Advertise(change) => {
            let advertiser = stage.lab.host(&change.on).advertiser(&change.link);
            advertiser.expect("validation has seen it").change(change);
            Ok(())
        }
    }
}

/// Starts the resolvers that hosts have, and gives them the servers that DHCP would.
pub(super) async fn start_resolvers(stage: &mut Stage<'_>) -> Result<(), StageError> {
    let scenario = stage.scenario;
    let hosts = scenario.hosts.iter();
    for (name, host) in hosts.filter(|(_, host)| host.resolver == Resolver::SystemdResolved) {
        for (program, _) in resolver_programs(name) {
            start_named(stage, &program).await?;
        }
        for (link, servers) in host.dns_by_link(&scenario.nets) {
            dhcp::tell_resolved(stage, name, link, &servers).await?;
        }
    }
    dhcp::pass_on(stage).await
}

async fn start(stage: &mut Stage<'_>, program: &ProgramRef) -> Result<(), StageError> {
    match program {
        ProgramRef::Tunnel => stage.start_tunnel().await,
        ProgramRef::Role(role) => stage.start_role(*role).await,
        ProgramRef::Named(name) => start_named(stage, name).await,
        ProgramRef::Routes => unreachable!("validation knows that `routes` starts a watch"),
    }
}

async fn start_named(stage: &mut Stage<'_>, name: &ProgramName) -> Result<(), StageError> {
    let program = &stage.scenario.programs[name];
    let order = Order {
        name: name.as_str(),
        host: &program.on,
        id: stage.lab.host(&program.on).id(),
        command: &program.command,
        may_end: program.may_end,
    };
    let Stage {
        programs,
        lab,
        folder,
        ..
    } = stage;
    Ok(programs
        .start(lab.sandbox(), folder, order, &program.ready)
        .await?)
}

async fn end(
    stage: &mut Stage<'_>,
    program: &ProgramRef,
    signal: Signal,
) -> Result<(), StageError> {
    let names = match program {
        // The application first, so that nobody dials what is going away; those that an earlier
        // step has ended are left alone.
        ProgramRef::Tunnel => TunnelRole::ALL
            .iter()
            .rev()
            .map(|role| role.name().to_owned())
            .filter(|name| stage.programs.is_running(name))
            .collect(),
        ProgramRef::Role(role) => vec![role.name().to_owned()],
        ProgramRef::Named(name) => vec![name.to_string()],
        ProgramRef::Routes => routes::watches(stage),
    };
    for name in names {
        stage
            .programs
            .end(stage.lab.sandbox(), &name, signal)
            .await?;
    }
    Ok(())
}

async fn run(stage: &Stage<'_>, run: &Run) -> Result<(), StageError> {
    run_aloud(stage, run, false).await.map(drop)
}

/// The same, with what it has printed; `any_exit` has it end as it likes.
pub(super) async fn run_aloud(
    stage: &Stage<'_>,
    run: &Run,
    any_exit: bool,
) -> Result<Ended, StageError> {
    let program = run.command.first().map_or("command", String::as_str);
    let order = Order {
        // Only the last part of a path can be part of a log's name.
        name: program.rsplit('/').next().unwrap_or(program),
        host: &run.on,
        id: stage.lab.host(&run.on).id(),
        command: &run.command,
        may_end: true,
    };
    let sandbox = stage.lab.sandbox();
    let place = (stage.folder, &stage.timeline);
    let expected = Some(run.exit).filter(|_| !any_exit);
    Ok(programs::run(sandbox, place, order, expected, run.within).await?)
}

async fn change_link(stage: &mut Stage<'_>, change: &LinkChange) -> Result<(), StageError> {
    stage.lab.change_link(change).await?;
    match change.state {
        LinkState::Renamed(new) => stage.await_name(&change.on, new).await,
        LinkState::Recreated => dhcp::made_again(stage, &change.on, change.link).await,
        _ => Ok(()),
    }
}

async fn change_address(stage: &Stage<'_>, change: &AddressChange) -> Result<(), StageError> {
    let station = stage.lab.host(&change.on).station();
    let link = station.link(&change.link).await?.index;
    let address = Address {
        metric: change.metric,
        bare: change.bare,
        ..Address::new(link, change.address)
    };
    let netlink = station.netlink();
    let changed = match (change.action, change.lifetimes) {
        (RouteAction::Delete, _) => netlink.delete_address(&address).await,
        (RouteAction::Add, None) => netlink.replace_address(&address).await,
        (RouteAction::Add, Some(times)) => netlink.replace_address_for(&address, times).await,
    };
    Ok(changed.map_err(fps_netns::Error::from)?)
}

fn write_sysctl(stage: &Stage<'_>, sysctl: &Sysctl) -> Result<(), StageError> {
    let host = stage.lab.host(&sysctl.on).id();
    // A key with slashes may hold dots in an interface's name (sysctl(8)).
    let key = match sysctl.key.contains('/') {
        true => sysctl.key.clone(),
        false => sysctl.key.replace('.', "/"),
    };
    Ok(stage.lab.sandbox().sysctl(host, &key, &sysctl.value)?)
}

async fn change_route(stage: &Stage<'_>, change: &RouteChange) -> Result<(), StageError> {
    let host = stage.lab.host(&change.on);
    match change.action {
        RouteAction::Add => host.add_route(&change.route).await?,
        RouteAction::Delete => host.delete_route(&change.route).await?,
    }
    Ok(())
}

async fn change_rules(stage: &Stage<'_>, change: &RuleChange) -> Result<(), StageError> {
    let netlink = stage.lab.host(&change.on).station().netlink();
    for rule in &change.rules {
        let changed = match (change.action, change.in_front) {
            (RouteAction::Add, false) => netlink.add_rule(rule).await,
            (RouteAction::Add, true) => netlink.add_rule_in_front(rule).await,
            (RouteAction::Delete, false) => netlink.delete_rule(rule).await,
            (RouteAction::Delete, true) => netlink.delete_rule_anywhere(rule).await,
        };
        changed.map_err(fps_netns::Error::from)?;
    }
    Ok(())
}

/// `nft -f` with a text. What nft(8) says against it is part of the error.
async fn load_ruleset(stage: &mut Stage<'_>, ruleset: &NftRuleset) -> Result<(), StageError> {
    let host = stage.lab.host(&ruleset.on).id();
    let file = FileSpec::new(RULESET, ruleset.text.as_str());
    stage.lab.sandbox().write_file(host, file)?;
    let load = Run {
        on: ruleset.on.clone(),
        command: ["nft", "-f", RULESET].map(str::to_owned).to_vec(),
        exit: 0,
        within: NFT_PATIENCE,
    };
    run(stage, &load).await
}

fn change_firewall(stage: &Stage<'_>, change: &FirewallChange) -> Result<(), StageError> {
    let host = stage.lab.host(&change.on).id();
    let socket = stage.lab.sandbox().socket(host, SocketKind::Netfilter)?;
    match &change.what {
        FirewallAction::Add(rules) => add_firewall_rules(socket, rules)?,
        FirewallAction::Clear => clear_firewall(socket)?,
    }
    Ok(())
}

impl<'a> Stage<'a> {
    fn tunnel(&self) -> &'a Tunnel {
        let tunnel = self.scenario.tunnel.as_ref();
        tunnel.expect("validation has seen a tunnel")
    }

    /// Starts the tunnel's programs; of FPS, returns when the first carrier carries.
    pub(super) async fn start_tunnel(&mut self) -> Result<(), StageError> {
        let tunnel = self.tunnel();
        for role in tunnel.roles() {
            self.start_role(*role).await?;
        }
        if matches!(tunnel.vpn, Vpn::Foreign(_)) {
            return Ok(());
        }
        for role in [TunnelRole::Server, TunnelRole::Client] {
            self.programs
                .await_output(role.name(), fps::CARRIES, fps::PATIENCE)
                .await?;
        }
        Ok(())
    }

    async fn start_role(&mut self, role: TunnelRole) -> Result<(), StageError> {
        let tunnel = self.tunnel();
        if let Vpn::Fps(fps) = &tunnel.vpn {
            self.furnish_fps(tunnel, fps)?;
        }
        let launch = tunnel::launch(tunnel, role);
        let order = Order {
            name: role.name(),
            host: launch.host,
            id: self.lab.host(launch.host).id(),
            command: &launch.command,
            may_end: false,
        };
        let Stage {
            programs,
            lab,
            folder,
            ..
        } = self;
        let started = programs.start(lab.sandbox(), folder, order, &launch.ready);
        Ok(started.await?)
    }
}
