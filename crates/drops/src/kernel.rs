//! What has to be known of the kernel that runs.

use std::collections::HashMap;
use std::fs;

use crate::btf::Btf;
use crate::error::{Error, Result};

/// Where things are in the structures of the kernel that runs, and the names of its reasons.
#[derive(Clone, Debug)]
pub struct Kernel {
    pub(crate) places: Places,
    reasons: HashMap<u32, String>,
}

/// Offsets, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    /// In `struct sk_buff`.
    pub(crate) device: u16,
    pub(crate) socket: u16,
    pub(crate) head: u16,
    pub(crate) tail: u16,
    pub(crate) network_header: u16,
    /// In `struct net_device`.
    pub(crate) device_name: u16,
    pub(crate) device_namespace: u16,
    /// In `struct sock`.
    pub(crate) socket_namespace: u16,
    /// In `struct net`.
    pub(crate) cookie: u16,
}

impl Kernel {
    /// Reads how this kernel describes itself.
    pub fn read() -> Result<Self> {
        let bytes = fs::read("/sys/kernel/btf/vmlinux").map_err(Error::NoBtf)?;
        let btf = Btf::parse(&bytes)?;
        let packet = |path| btf.offset("sk_buff", path);
        let device = |path| btf.offset("net_device", path);
        Ok(Self {
            places: Places {
                device: packet("dev")?,
                socket: packet("sk")?,
                head: packet("head")?,
                tail: packet("tail")?,
                network_header: packet("network_header")?,
                device_name: device("name")?,
                device_namespace: device("nd_net.net")?,
                socket_namespace: btf.offset("sock", "__sk_common.skc_net.net")?,
                cookie: btf.offset("net", "net_cookie")?,
            },
            reasons: btf.values("skb_drop_reason")?,
        })
    }

    /// The name of a reason, without what all have in front. Those of a subsystem of its own, as that of
    /// wireless networks, have no name here.
    pub(crate) fn reason(&self, code: u32) -> String {
        match self.reasons.get(&code) {
            Some(name) => name
                .strip_prefix("SKB_DROP_REASON_")
                .unwrap_or(name)
                .to_owned(),
            None => format!("{code:#x}"),
        }
    }
}
