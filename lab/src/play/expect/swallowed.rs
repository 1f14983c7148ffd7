//! A packet that went into a TUN device of the tunnel and came out of the other end never: what became of the
//! carrier that was to bear it.

use std::net::SocketAddr;

use fps_netlink::LinkName;

use super::CheckError;
use super::carriers::{self, Carriers};
use super::stray::{self, Stray, Which};
use super::why::{Stranded, Suspect, Told, decide};
use crate::play::stage::Stage;
use crate::scenario::{
    HostName, Load, OuterProtocol, Probe, ProbeProtocol, Sender, Tunnel, TunnelRole,
};

/// Tells of the carrier: how its sender decides about it, and where its packets are lost.
pub(super) async fn tell(
    stage: &Stage<'_>,
    host: &HostName,
    tun: LinkName,
    told: &mut Told,
) -> Result<(), CheckError> {
    let tunnel = stage.scenario.tunnel.as_ref();
    let tunnel = tunnel.expect("a packet is swallowed by a TUN device of the tunnel alone");
    let of_the_packet = std::mem::take(&mut told.causes);
    let (why, which) = match carrier(stage, tunnel).await? {
        Carrier::Of { suspect, own } => {
            let decided = decide(stage, &suspect).await?;
            told.add(&suspect.host, decided);
            let why = "it never came out of the tunnel's other end".to_owned();
            (why, Some(Which::Data(own)))
        }
        Carrier::Missing { why, is_tried } => (why, is_tried.then_some(Which::Opening)),
    };
    told.hosts.insert(tunnel.client.clone());
    let mut said = format!("{tun} on {host} swallowed it: {why}");
    if let Some(which) = which
        && let Some(Stray { suspect, place }) = stray::find(stage, tunnel, host, which).await?
    {
        let what = match which {
            Which::Opening => "what is to open one",
            Which::Data(_) => "what carries it",
        };
        said = format!("{said}; {what} came no further than {place}");
        let suspect = like(tunnel, suspect);
        let decided = decide(stage, &suspect).await?;
        told.add(&suspect.host, decided);
    }
    let has_carrier = matches!(which, Some(Which::Data(_)));
    match has_carrier {
        true => told.causes.extend(of_the_packet.into_iter().chain([said])),
        false => told.causes.extend([said].into_iter().chain(of_the_packet)),
    }
    Ok(())
}

/// What carries the tunnel.
enum Carrier {
    /// A connection or a socket of the client.
    Of {
        /// As the kernel looks for its way.
        suspect: Box<Suspect>,
        /// Where a connection is bound.
        own: Option<SocketAddr>,
    },
    /// There is none.
    Missing {
        /// The reason.
        why: String,
        /// Whether the client may be trying to have one.
        is_tried: bool,
    },
}

/// The carrier of the tunnel, whose answers come in by the link that it leaves by.
async fn carrier(stage: &Stage<'_>, tunnel: &Tunnel) -> Result<Carrier, CheckError> {
    let client = &tunnel.client;
    let unreadable = |error| CheckError::Network(client.clone(), error);
    let (endpoint, outer) = (tunnel.endpoint, tunnel.outer());
    let from = carriers::sources(stage, client, endpoint, outer).await?;
    let carriers = Carriers::of(stage, client, outer)?.now(stage, endpoint, outer, &from);
    let netlink = stage.lab.host(client).station().netlink();
    let mut found = None;
    for carrier in carriers.map_err(unreadable)? {
        let route = netlink.lookup(&carrier.flow).await.map_err(unreadable)?;
        let link = route.ok().and_then(|route| route.link);
        // One that has a way is what the client lives by; the others are left from before.
        if found.is_none() || link.is_some() {
            found = Some((carrier, link));
        }
    }
    let Some((carrier, link)) = found else {
        return Ok(missing(stage, tunnel));
    };
    let suspect = Box::new(Suspect {
        stranded: link.map(|link| Stranded {
            from: endpoint,
            link,
            length: 0,
        }),
        ..Suspect::new(client, carrier.flow)
    });
    let own = Some(carrier.own).filter(|_| outer.protocol == OuterProtocol::Tcp);
    Ok(Carrier::Of { suspect, own })
}

fn missing(stage: &Stage<'_>, tunnel: &Tunnel) -> Carrier {
    let Tunnel {
        client,
        server,
        endpoint,
        ..
    } = tunnel;
    let runs = |role: TunnelRole| stage.programs.is_running(role.name());
    let (client_runs, server_runs) = (runs(TunnelRole::Client), runs(TunnelRole::Server));
    let why = match (client_runs, server_runs) {
        (false, _) => format!("the tunnel's client does not run on {client}"),
        (true, false) => format!(
            "no connection from {client} to {endpoint} carries it, and the tunnel's server does not run \
             on {server}"
        ),
        (true, true) => format!("no connection from {client} to {endpoint} carries it"),
    };
    Carrier::Missing {
        why,
        is_tried: client_runs && server_runs,
    }
}

/// With a question that falls to what it has fallen to, as far as that goes by addresses and ports.
fn like(tunnel: &Tunnel, suspect: Suspect) -> Suspect {
    if suspect.flow.to != tunnel.endpoint {
        return suspect;
    }
    let outer = tunnel.outer();
    let protocol = match outer.protocol {
        OuterProtocol::Tcp => ProbeProtocol::Tcp(outer.port),
        OuterProtocol::Udp => ProbeProtocol::Udp(outer.port),
    };
    let probe = Probe {
        from: tunnel.client.clone(),
        to: Some(tunnel.server.clone()),
        address: tunnel.endpoint,
        protocol,
        sender: Sender {
            mark: tunnel.mark(),
            ..Sender::default()
        },
        load: Load::default(),
    };
    Suspect {
        is_carriers: true,
        ..suspect.of(&probe)
    }
}
