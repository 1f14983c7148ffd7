//! The packets of the tunnel that carried a probe from one end of it to the other.

use std::time::Instant;

use fps_packet::{Direction, Packet};

use super::CheckError;
use super::passage::{Passage, Seen};
use crate::play::expect::volume::ports;
use crate::play::stage::Stage;
use crate::scenario::{HostName, Tunnel};

/// Where the carrier's packets were seen while the probe was between two links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Carried {
    /// The place in the passage that they follow.
    pub(super) behind: usize,
    /// In order, each once.
    pub(super) places: Vec<String>,
}

/// All of them: one for each time that the probe vanishes into a TUN device and comes out of another.
pub(super) async fn all(stage: &Stage<'_>, passage: &Passage) -> Result<Vec<Carried>, CheckError> {
    let mut all = Vec::new();
    let Some(tunnel) = &stage.scenario.tunnel else {
        return Ok(all);
    };
    for (behind, pair) in passage.0.windows(2).enumerate() {
        let [into, out] = pair else { continue };
        let Some(to_server) = direction(tunnel, into, out) else {
            continue;
        };
        let places = places(stage, tunnel, to_server, (into.at, out.at)).await?;
        all.push(Carried { behind, places });
    }
    Ok(all)
}

/// Whether a probe between two links goes through the tunnel to its server, or from it.
fn direction(tunnel: &Tunnel, into: &Seen, out: &Seen) -> Option<bool> {
    let is = |seen: &Seen, host: &HostName, tun: &str| seen.host == *host && seen.link == tun;
    let at_client = |seen| is(seen, &tunnel.client, tunnel.client_tun.as_str());
    let at_server = |seen| is(seen, &tunnel.server, tunnel.server_tun.as_str());
    if at_client(into) && at_server(out) {
        Some(true)
    } else if at_server(into) && at_client(out) {
        Some(false)
    } else {
        None
    }
}

async fn places(
    stage: &Stage<'_>,
    tunnel: &Tunnel,
    to_server: bool,
    (from, to): (Instant, Instant),
) -> Result<Vec<String>, CheckError> {
    let mut seen: Vec<(Instant, bool, String)> = Vec::new();
    for (host, tape) in stage.tapes() {
        tape.sync().await?;
        tape.look(|frames| {
            let carriers = frames.iter().filter(|frame| {
                let in_time = (from..=to).contains(&frame.at);
                let passes = frame.direction != Direction::OtherHost;
                let packet = frame.packet();
                in_time && passes && packet.is_some_and(|it| carries(tunnel, to_server, &it))
            });
            seen.extend(carriers.map(|frame| {
                let link = tape.names().show(frame.ifindex);
                let received = frame.direction != Direction::Sent;
                (frame.at, received, format!("{host}:{link}"))
            }));
        });
    }
    seen.sort();
    let mut places: Vec<String> = Vec::new();
    for (.., place) in seen {
        if !places.contains(&place) {
            places.push(place);
        }
    }
    Ok(places)
}

/// Whether a packet is one of the carrier's with data in it, on its way to the server or from it.
fn carries(tunnel: &Tunnel, to_server: bool, packet: &Packet<'_>) -> bool {
    let outer = tunnel.outer();
    let Some((source, destination)) = ports(packet, outer.protocol) else {
        return false;
    };
    let (end, port) = match to_server {
        true => (packet.destination, destination),
        false => (packet.source, source),
    };
    end == tunnel.endpoint && port == outer.port && !packet.payload.is_empty()
}
