//! The client's addresses, as the server leases them (`tun.auto_configure`).

use std::cell::Cell;
use std::rc::Rc;

use fps_netlink::{Address, LinkName, Netlink};
use fps_wire::control::Lease;
use ipnet::{IpNet, Ipv4Net};

/// Gives the device what is leased: address, MTU, up.
///
/// Equivalent: `ip addr replace CLIENT/PREFIX dev NAME; ip link set NAME mtu MTU up`.
#[derive(Clone, Debug)]
pub struct AutoConfigure {
    netlink: Netlink,
    name: LinkName,
    /// What it has by now.
    had: Rc<Cell<Option<Lease>>>,
}

impl AutoConfigure {
    /// For a device of the namespace of the calling thread.
    pub fn new(name: LinkName) -> Result<Self, fps_netlink::Error> {
        Ok(Self {
            netlink: Netlink::open()?,
            name,
            had: Rc::default(),
        })
    }

    /// Takes a lease, which every carrier brings. Nothing waits for it: what goes wrong is told.
    pub(super) fn take(&self, lease: Lease) {
        let had = self.had.replace(Some(lease));
        if had == Some(lease) {
            return;
        }
        let this = self.clone();
        tokio::task::spawn_local(async move {
            let (name, address) = (this.name, lease.client);
            match this.configure(had, lease).await {
                Ok(()) => tracing::info!(event = "tun_auto_configured", name = %name, %address),
                Err(error) => {
                    this.had.set(None);
                    let error = crate::node::chain(&error);
                    tracing::error!(event = "tun_auto_configure_failed", name = %name, error);
                }
            }
        });
    }

    async fn configure(&self, had: Option<Lease>, lease: Lease) -> Result<(), fps_netlink::Error> {
        let Some(link) = self.netlink.link(&self.name).await? else {
            // The device is gone, and with it the program.
            return Ok(());
        };
        let address = |lease: &Lease| {
            let net = Ipv4Net::new(lease.client, lease.prefix_len).ok()?;
            Some(Address::new(link.index, IpNet::V4(net)))
        };
        if let Some(new) = address(&lease) {
            self.netlink.replace_address(&new).await?;
        }
        let old = had.filter(|old| old.client != lease.client);
        if let Some(old) = old.as_ref().and_then(address) {
            self.netlink.delete_address(&old).await?;
        }
        if link.mtu != u32::from(lease.mtu) {
            self.netlink.set_mtu(link.index, lease.mtu.into()).await?;
        }
        self.netlink.set_up(link.index).await
    }
}
