//! The TUN device.
//!
//! What the kernel does while the link is down, as the tests in `tests/tun.rs` pin it: `poll`
//! reports neither readable nor writable, a read gives `EAGAIN`, a write gives `EIO`. So reading
//! simply waits until the route engine brings the link up, and writing drops. When the device is
//! deleted, `poll` reports an error and reads and writes give `EBADFD`, for good.

use std::io;
use std::time::Duration;

use fps_netlink::LinkName;
use nix::errno::Errno;
use tun_rs::{AsyncDevice, DeviceBuilder};

/// How long to leave the device alone after a read failed for no reason that this file knows:
/// there is no event to wait for, and trying at once would spin.
const PAUSE: Duration = Duration::from_millis(100);

/// The device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TunError {
    /// It cannot be made.
    #[error(
        "cannot open TUN {name}: grant CAP_NET_ADMIN, let it read and write /dev/net/tun, \
         and see that no other program holds {name}"
    )]
    Open {
        /// Its name.
        name: LinkName,
        /// Why.
        source: io::Error,
    },
    /// It was deleted under us.
    #[error("TUN {name} is gone: something deleted it; start again to make a new one")]
    Gone {
        /// Its name.
        name: LinkName,
        /// What reading said.
        source: io::Error,
    },
}

/// An open TUN (`IFF_TUN | IFF_NO_PI`): one read or write is one IP packet.
pub struct TunDevice {
    name: LinkName,
    device: AsyncDevice,
}

impl TunDevice {
    /// Makes the device and sets its MTU. The link's state, addresses and routes stay as they are.
    ///
    /// Equivalent: `ip tuntap add NAME mode tun; ip link set NAME mtu MTU`, held open.
    pub fn open(name: &LinkName, mtu: u16) -> Result<Self, TunError> {
        let device = DeviceBuilder::new()
            .name(name.as_str())
            .mtu(mtu)
            // Unless told so, the builder brings the link up.
            .inherit_enable_state()
            .build_async()
            .map_err(|source| TunError::Open { name: *name, source })?;
        Ok(Self {
            name: *name,
            device,
        })
    }

    /// Its name.
    pub fn name(&self) -> &LinkName {
        &self.name
    }

    /// Waits for a packet. Fails only when the device is gone.
    pub async fn receive(&self, buffer: &mut [u8]) -> Result<usize, TunError> {
        loop {
            match self.device.recv(buffer).await {
                Ok(length) => return Ok(length),
                Err(source) if is_gone(&source) => return Err(self.gone(source)),
                Err(error) => {
                    tracing::debug!(event = "tun_read_failed", error = %error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next packet if one waits already.
    pub fn try_receive(&self, buffer: &mut [u8]) -> Option<usize> {
        self.device.try_recv(buffer).ok()
    }

    /// Hands the kernel a packet. It takes it or refuses it at once: a TUN has no send buffer to
    /// wait for, so "would block" too means that the link is down.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        self.device.try_send(packet).map(|_| ())
    }

    fn gone(&self, source: io::Error) -> TunError {
        TunError::Gone {
            name: self.name,
            source,
        }
    }
}

fn is_gone(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EBADFD as i32)
}
