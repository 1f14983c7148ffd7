//! Links that are made bad, and good again.

use std::time::Duration;

use fps_netlink::LinkName;
use fps_netns::set_checksum_offload;
use fps_packet::Frames;

use super::error::At;
use super::host::LiveLink;
use super::{Lab, LabError};
use crate::sandbox::SocketKind;
use crate::scenario::{HostName, ImpairAction, ImpairChange, Impairment, NetName};
use crate::wire::Wire;

/// The wire of a link that is bad.
#[derive(Debug)]
pub(super) struct BadWire {
    wire: Wire,
    /// The port that stands in the net in place of the link's own.
    pub(super) far: fps_netns::Port,
}

impl Lab {
    /// Makes a link bad or good again; says by what means, or what has become of its frames.
    pub async fn impair(&mut self, change: &ImpairChange) -> Result<String, LabError> {
        let ImpairChange { on, link, what } = change;
        match what {
            ImpairAction::Set(impairment) => self.make_bad(on, link, impairment).await,
            ImpairAction::Clear => self.make_good(on, link).await,
        }
    }

    /// The wires that carry nothing any more, though nobody has taken them away.
    pub fn broken_wires(&self) -> Result<Vec<String>, LabError> {
        let mut broken = Vec::new();
        for (on, host) in &self.hosts {
            for (link, live) in &host.links {
                let Some(bad) = &live.bad else { continue };
                let tallies = bad
                    .wire
                    .tallies()
                    .map_err(|error| at_link(on, link, error))?;
                let ends = tallies.into_iter().filter_map(|tally| tally.end);
                broken.extend(ends.map(|end| format!("the wire of {link} on {on} broke: {end}")));
            }
        }
        Ok(broken)
    }

    /// How much longer a packet may take there and back, by the links that are bad together.
    pub fn longest_wait(&self) -> Duration {
        let links = self.hosts.values().flat_map(|host| host.links.values());
        let wires = links.filter_map(|link| link.bad.as_ref());
        wires.map(|bad| bad.wire.longest_wait()).sum()
    }

    async fn make_bad(
        &mut self,
        on: &HostName,
        link: &LinkName,
        impairment: &Impairment,
    ) -> Result<String, LabError> {
        let mut means = Vec::new();
        if let Some(mtu) = impairment.mtu {
            self.set_mtu(on, link, mtu).await?;
            means.push("the MTU is that of both ends");
        }
        if let Some((shape, ways)) = impairment.shape {
            if self.live(on, link)?.bad.is_none() {
                let bad = self.string(on, link).await?;
                self.host_mut(on).links[link].bad = Some(bad);
            }
            if let Some(bad) = &self.live(on, link)?.bad {
                bad.wire.reshape(shape, ways);
            }
            means.push("by a wire of the lab's own");
        }
        Ok(means.join(", "))
    }

    /// Puts a wire of the lab's own between a link and its net.
    async fn string(&mut self, on: &HostName, link: &LinkName) -> Result<BadWire, LabError> {
        let at = || format!("the wire of {link} on {on}");
        let (port, net) = {
            let live = self.live(on, link)?;
            (live.port, live.now.net.clone())
        };
        let (far, near) = self.add_stub(&net).await?;
        let host = self.host(on);
        let of_host = self.sandbox.socket(host.id, SocketKind::Packet)?;
        set_checksum_offload(&of_host, link, false).at(at)?;
        self.switch.release(port).await.at(at)?;
        let open = |port: fps_netns::Port| -> Result<Frames, LabError> {
            let socket = self.sandbox.switch_socket(SocketKind::Frames)?;
            Frames::open(socket, port.index().get()).map_err(|error| at_link(on, link, error))
        };
        let wire = Wire::start(open(port)?, open(near)?);
        Ok(BadWire { wire, far })
    }

    /// Adds a port to a net, whose other end is in nobody's hands yet and whose frames are whole.
    async fn add_stub(
        &mut self,
        net: &NetName,
    ) -> Result<(fps_netns::Port, fps_netns::Port), LabError> {
        let at = || format!("a wire into the net {net}");
        let number = self.ports;
        self.ports += 1;
        let name = |what| LinkName::new(format!("{what}{number}")).expect("short enough");
        let (far, near) = (name("wire"), name("near"));
        let segment = self.segment(net);
        let ports = self.switch.add_stub(segment, &far, &near).await.at(at)?;
        let socket = self.sandbox.switch_socket(SocketKind::Packet)?;
        set_checksum_offload(&socket, &far, false).at(at)?;
        Ok(ports)
    }

    async fn make_good(&mut self, on: &HostName, link: &LinkName) -> Result<String, LabError> {
        let at = || format!("the link {link} of {on}");
        let live = &mut self.host_mut(on).links[link];
        let (bad, mtu) = (live.bad.take(), live.first_mtu.take());
        if bad.is_none() && mtu.is_none() {
            return Err(LabError::NotImpaired {
                host: on.clone(),
                link: *link,
            });
        }
        if let Some(mtu) = mtu {
            self.set_mtu(on, link, mtu).await?;
            self.host_mut(on).links[link].first_mtu = None;
        }
        let Some(bad) = bad else {
            return Ok("the MTU is what it was".to_owned());
        };
        let tallies = bad
            .wire
            .tallies()
            .map_err(|error| at_link(on, link, error))?;
        let live = self.live(on, link)?;
        let segment = self.segment(&live.now.net);
        self.switch.replug(live.port, segment).await.at(at)?;
        self.switch.settle_port(live.port).await.at(at)?;
        let host = self.host(on);
        let socket = self.sandbox.socket(host.id, SocketKind::Packet)?;
        set_checksum_offload(&socket, link, true).at(at)?;
        let far = bad.far;
        drop(bad);
        self.switch.delete(far).await.at(at)?;
        let [out, back] = tallies;
        Ok(format!("out {out}; in {back}"))
    }

    async fn set_mtu(&mut self, on: &HostName, link: &LinkName, mtu: u32) -> Result<(), LabError> {
        let at = || format!("the link {link} of {on}");
        let station = &self.host(on).station;
        let live = self.live(on, link)?;
        let before = station.settle(live.index).await.at(at)?.mtu;
        station.netlink().set_mtu(live.index, mtu).await.at(at)?;
        self.switch.set_mtu(live.port, mtu).await.at(at)?;
        let live = &mut self.host_mut(on).links[link];
        live.first_mtu.get_or_insert(before);
        Ok(())
    }

    fn live(&self, on: &HostName, link: &LinkName) -> Result<&LiveLink, LabError> {
        let live = self.host(on).links.get(link);
        live.ok_or_else(|| LabError::Network {
            what: format!("the link {link} of {on}"),
            cause: fps_netns::Error::NoSuchLink(*link),
        })
    }
}

fn at_link(host: &HostName, link: &LinkName, cause: fps_packet::CaptureError) -> LabError {
    LabError::Wire {
        host: host.clone(),
        link: *link,
        cause,
    }
}

impl LiveLink {
    /// The port that stands in the net: the link's own, or that of its wire.
    pub(super) fn port_in_net(&self) -> fps_netns::Port {
        self.bad.as_ref().map_or(self.port, |bad| bad.far)
    }

    /// Loses what is under way on a cable that has been taken out.
    pub(super) async fn cut(&self) {
        if let Some(bad) = &self.bad {
            bad.wire.cut().await;
        }
    }
}
