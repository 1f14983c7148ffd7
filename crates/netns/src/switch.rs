//! The namespace of the segments.

use std::os::fd::BorrowedFd;

use fps_netlink::{IfIndex, LinkName, Netlink, VethPair};

use crate::error::{Error, Result};

/// A namespace that holds nothing but bridges and their ports. It has no address, so that no
/// packet is ever for it.
#[derive(Clone, Debug)]
pub struct Switch {
    netlink: Netlink,
}

/// An L2 segment: a bridge.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment(IfIndex);

/// A segment's end of a host's link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Port(IfIndex);

impl Port {
    /// Its index in the switch's namespace.
    pub fn index(self) -> IfIndex {
        self.0
    }
}

impl Switch {
    /// Takes the netlink socket of the switch's namespace.
    pub fn new(netlink: Netlink) -> Self {
        Self { netlink }
    }

    /// Adds an empty segment.
    pub async fn add_segment(&self, name: &LinkName) -> Result<Segment> {
        self.netlink.create_bridge(name).await?;
        Ok(Segment(self.index(name).await?))
    }

    /// Gives a host a link `peer` whose other end is a port of a segment.
    pub async fn plug(
        &self,
        segment: Segment,
        port: &LinkName,
        peer: &LinkName,
        host: BorrowedFd<'_>,
    ) -> Result<Port> {
        let pair = VethPair {
            port,
            bridge: segment.0,
            peer,
            namespace: host,
        };
        self.netlink.create_veth(pair).await?;
        Ok(Port(self.index(port).await?))
    }

    /// Moves a link to another segment.
    pub async fn replug(&self, port: Port, segment: Segment) -> Result<()> {
        Ok(self.netlink.set_master(port.0, segment.0).await?)
    }

    /// Puts the cable in or takes it out: the host sees its carrier come or go.
    pub async fn set_plugged(&self, port: Port, plugged: bool) -> Result<()> {
        if plugged {
            self.netlink.set_up(port.0).await?;
            self.settle_port(port).await
        } else {
            Ok(self.netlink.set_down(port.0).await?)
        }
    }

    /// Takes a port out of its segment; the link's carrier stays.
    pub async fn release(&self, port: Port) -> Result<()> {
        Ok(self.netlink.release(port.0).await?)
    }

    /// Adds a port to a segment whose other end is in the switch as well, in nobody's hands, and up.
    pub async fn add_stub(
        &self,
        segment: Segment,
        port: &LinkName,
        stub: &LinkName,
    ) -> Result<(Port, Port)> {
        self.netlink.create_veth_here(port, segment.0, stub).await?;
        let (port, stub) = (Port(self.index(port).await?), Port(self.index(stub).await?));
        self.netlink.set_up(stub.0).await?;
        self.settle_port(stub).await?;
        self.settle_port(port).await?;
        Ok((port, stub))
    }

    /// Deletes a port, with the link that it leads to.
    pub async fn delete(&self, port: Port) -> Result<()> {
        Ok(self.netlink.delete_link(port.0).await?)
    }

    /// Sets the largest packet that a port takes.
    pub async fn set_mtu(&self, port: Port, mtu: u32) -> Result<()> {
        Ok(self.netlink.set_mtu(port.0, mtu).await?)
    }

    /// Makes a port forward at once.
    ///
    /// A bridge port goes to forwarding when linkwatch runs, up to a second later, and drops all
    /// until then: the first ARP request is lost and asked again after a second. To ask for the
    /// port makes linkwatch run (see [`Netlink::link_by_index`]); to wait for the port's state
    /// would not.
    pub async fn settle_port(&self, port: Port) -> Result<()> {
        self.netlink.link_by_index(port.0).await?;
        Ok(())
    }

    /// Makes a segment's bridge come up at once, as [`Switch::settle_port`] does a port.
    pub async fn settle_segment(&self, segment: Segment) -> Result<()> {
        self.netlink.link_by_index(segment.0).await?;
        Ok(())
    }

    async fn index(&self, name: &LinkName) -> Result<IfIndex> {
        let link = self.netlink.link(name).await?;
        link.map(|link| link.index).ok_or(Error::NoSuchLink(*name))
    }
}
