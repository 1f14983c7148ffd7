//! A sentence for each kind of act.

mod network;
mod routes;
mod services;

use super::topology::place;
use super::words::{code, command, several, time};
use crate::scenario::{Act, LinkChange, LinkState, ProgramRef, Roam, Run, Sysctl};

pub(super) use services::{DhcpOffer, gives, share_of_names, zone_name};

pub(super) fn sentence(act: &Act) -> String {
    match act {
        Act::Start(program) => format!("{} starts.", who(program)),
        Act::Stop(program) => format!("{} is told to end.", who(program)),
        Act::Kill(program) => format!("{} is killed.", who(program)),
        Act::Run(it) => run(it),
        Act::Routes(it) => routes::sentence(it),
        Act::Link(it) => link(it),
        Act::Roam(it) => roam(it),
        Act::Sysctl(it) => sysctl(it),
        Act::Route(it) => network::route(it),
        Act::Rule(it) => network::rule(it),
        Act::Addr(it) => network::address(it),
        Act::Firewall(it) => network::firewall(it),
        Act::Nft(it) => {
            let text = code(&it.text);
            format!("On {} a ruleset of nftables is loaded: {text}.", it.on)
        }
        Act::Impair(it) => network::impair(it),
        Act::Dns(it) => services::dns(it),
        Act::Dhcp(it) => services::dhcp(it),
        Act::DhcpServer(it) => services::dhcp_server(it),
        Act::Advertise(it) => services::advertise(it),
    }
}

fn who(program: &ProgramRef) -> String {
    match program {
        ProgramRef::Tunnel => "The tunnel".to_owned(),
        ProgramRef::Routes => "The route engine that watches".to_owned(),
        ProgramRef::Role(role) => format!("The tunnel's {role}"),
        ProgramRef::Named(name) => format!("The program {name}"),
    }
}

fn run(run: &Run) -> String {
    let Run {
        on,
        command: line,
        exit,
        within,
    } = run;
    let exit = match exit {
        0 => String::new(),
        code => format!(", and has to end with exit code {code}"),
    };
    let within = time(*within);
    format!(
        "On {on} {} runs, for {within} at most{exit}.",
        command(line)
    )
}

fn sysctl(sysctl: &Sysctl) -> String {
    let Sysctl { on, key, value } = sysctl;
    format!("On {on} the sysctl {key} becomes {value}.")
}

fn link(change: &LinkChange) -> String {
    let LinkChange { on, link, state } = change;
    match state {
        LinkState::Up => format!("On {on} {link} is set up."),
        LinkState::Down => format!("On {on} {link} is set down."),
        LinkState::Plugged => format!("On {on} the cable of {link} is put back in."),
        LinkState::Unplugged => format!("On {on} the cable of {link} is taken out."),
        LinkState::Deleted => format!("On {on} {link} is deleted."),
        LinkState::Recreated => format!("On {on} {link} is made again, with another index."),
        LinkState::Renamed(name) => format!("On {on} {link} is called {name} from now on."),
    }
}

fn roam(roam: &Roam) -> String {
    let Roam { on, link, to } = roam;
    let gateways = match to.gateways.is_empty() {
        true => String::new(),
        false => format!(", with {}", several("gateway", &to.gateways)),
    };
    format!("{on} roams: {link} is then {}{gateways}.", place(to))
}
