//! What carries packets between two hosts.

use super::words::{command, time};
use crate::scenario::{Foreign, Fps, OuterProtocol, Tunnel, Vpn};

pub(super) fn sentences(tunnel: &Tunnel) -> Vec<String> {
    let Tunnel {
        client,
        server,
        endpoint,
        client_tun,
        server_tun,
        autostart,
        vpn,
    } = tunnel;
    let name = match vpn {
        Vpn::Fps(_) => "FPS",
        Vpn::Foreign(_) => "Another VPN",
    };
    let mut said = vec![format!(
        "{name} carries packets between {client} ({client_tun}) and {server} ({server_tun}), which the \
         client finds at {endpoint}."
    )];
    match vpn {
        Vpn::Fps(fps) => said.extend(ours(fps)),
        Vpn::Foreign(foreign) => said.extend(other(foreign)),
    }
    said.push(match autostart {
        true => "It carries before the first step.".to_owned(),
        false => "Steps start it.".to_owned(),
    });
    said
}

fn ours(fps: &Fps) -> Vec<String> {
    let Fps {
        origin,
        origin_address,
        fwmark,
        upgrade_delay,
        commands,
    } = fps;
    let mut said = vec![format!(
        "The application, whose connections carry it, asks the origin on {origin} ({origin_address})."
    )];
    if let Some(mark) = fwmark {
        said.push(format!(
            "The sockets of client and server have the mark {mark}."
        ));
    }
    if !upgrade_delay.is_zero() {
        let delay = time(*upgrade_delay);
        said.push(format!(
            "The client leaves a connection alone for {delay} at first."
        ));
    }
    for (role, line) in commands {
        said.push(format!("In place of {role} there runs {}.", command(line)));
    }
    said
}

fn other(foreign: &Foreign) -> [String; 2] {
    let Foreign {
        outer,
        server,
        client,
    } = foreign;
    let protocol = match outer.protocol {
        OuterProtocol::Tcp => "TCP",
        OuterProtocol::Udp => "UDP",
    };
    [
        format!("Its packets travel by {protocol} to port {}.", outer.port),
        format!(
            "Its server is {}, its client {}.",
            command(&server.command),
            command(&client.command)
        ),
    ]
}
