//! The TUN device.
//!
//! What the kernel does while the link is down, as the tests in `tests/it/tun.rs` pin it: `poll`
//! reports neither readable nor writable, a read gives `EAGAIN`, a write gives `EIO`. So reading
//! simply waits until the route engine brings the link up, and writing drops. When the device is
//! deleted, `poll` reports an error and reads and writes give `EBADFD`, for good.
//!
//! Where the kernel can (IFF_VNET_HDR, TUNSETOFFLOAD), it hands over what a flow sends in packets of
//! up to 64 KiB, which are split here, and takes what belongs together in one as well: most of the
//! time that a packet costs it costs however long it is.

use std::array;
use std::io::{self, IoSliceMut};
use std::time::Duration;

use fps_netlink::LinkName;
use fps_wire::classified::Spread;
use nix::errno::Errno;
use tun_rs::{AsyncDevice, DeviceBuilder, GROTable, IDEAL_BATCH_SIZE, VIRTIO_NET_HDR_LEN};

use super::whole::{self, Whole};

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

/// An open TUN (`IFF_TUN | IFF_NO_PI`).
pub struct TunDevice {
    name: LinkName,
    mtu: u16,
    device: AsyncDevice,
}

/// What has been read.
pub struct Received {
    /// Header and packet.
    whole: Spread,
    /// Where the device gives no header, it is of zeros.
    begin: usize,
    packets: Vec<Vec<u8>>,
    sizes: Vec<usize>,
}

/// Packets that are to be written together.
pub struct Outbox {
    table: GROTable,
    /// The first so many are in use. The others are kept, since each is as long as the longest
    /// packet: the kernel's own memory is only taken for as much of it as is ever written.
    packets: Vec<Vec<u8>>,
    count: usize,
}

/// How many parts the longest has.
const SLOTS: usize = Whole::LONGEST.div_ceil(Spread::PART);

impl Received {
    /// Where the device puts what it gives (readv(2)).
    fn slices(&mut self) -> [IoSliceMut<'_>; SLOTS] {
        let mut slots = self.whole.slots();
        let mut slices = array::from_fn(|_| IoSliceMut::new(slots.next().unwrap_or_default()));
        slices[0].advance(self.begin);
        slices
    }

    /// Header and packet, as they were read, or to be filled as if they had been.
    pub fn spread(&mut self) -> &mut Spread {
        &mut self.whole
    }

    /// Header and packet, looked at: as much as has all headers.
    pub fn begin(&self) -> Option<Whole<'_>> {
        Whole::read(self.whole.first())
    }

    /// How long the packet is.
    pub fn packet_len(&self) -> usize {
        self.whole.len().saturating_sub(VIRTIO_NET_HDR_LEN)
    }

    /// In packets of the MTU, in their order.
    pub fn packets(&mut self) -> impl Iterator<Item = &[u8]> {
        let whole = self.whole.join();
        let count = whole::split(whole, &mut self.packets, &mut self.sizes);
        let packets = self.packets.iter().zip(&self.sizes).take(count);
        packets.map(|(packet, size)| &packet[..*size])
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            table: GROTable::new(),
            packets: Vec::new(),
            count: 0,
        }
    }
}

impl Outbox {
    /// Adds a packet.
    pub fn push(&mut self, packet: &[u8]) {
        if self.count == self.packets.len() {
            // Not more than that, or what is put together is longer than the kernel takes.
            self.packets.push(Vec::with_capacity(Whole::LONGEST));
        }
        let buffer = &mut self.packets[self.count];
        buffer.clear();
        buffer.resize(VIRTIO_NET_HDR_LEN, 0);
        buffer.extend_from_slice(packet);
        self.count += 1;
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl TunDevice {
    /// Makes the device and sets its MTU. The link's state, addresses and routes stay as they are.
    ///
    /// Equivalent: `ip tuntap add NAME mode tun; ip link set NAME mtu MTU`, held open.
    pub fn open(name: &LinkName, mtu: u16) -> Result<Self, TunError> {
        let build = |offload| {
            DeviceBuilder::new()
                .name(name.as_str())
                .mtu(mtu)
                .offload(offload)
                // Unless told so, the builder brings the link up.
                .inherit_enable_state()
                .build_async()
        };
        // A kernel without it is as good, only slower.
        let device = build(true).or_else(|_| build(false));
        Ok(Self {
            name: *name,
            mtu,
            device: device.map_err(|source| TunError::Open {
                name: *name,
                source,
            })?,
        })
    }

    /// Its name.
    pub fn name(&self) -> &LinkName {
        &self.name
    }

    /// Whether it gives and takes packets whole, whatever they are of.
    pub fn takes_whole(&self) -> bool {
        self.device.tcp_gso() && self.device.udp_gso() && cfg!(target_endian = "little")
    }

    /// Room for what is read at once.
    pub fn room(&self) -> Received {
        Received {
            whole: Spread::new(Whole::LONGEST),
            begin: match self.device.tcp_gso() {
                true => 0,
                false => VIRTIO_NET_HDR_LEN,
            },
            packets: vec![vec![0; self.mtu.into()]; IDEAL_BATCH_SIZE],
            sizes: vec![0; IDEAL_BATCH_SIZE],
        }
    }

    /// Waits for a packet. Fails only when the device is gone.
    pub async fn receive(&self, room: &mut Received) -> Result<(), TunError> {
        loop {
            let read = self.device.recv_vectored(&mut room.slices()).await;
            match read {
                Ok(length) => {
                    room.whole.set_len(room.begin + length);
                    return Ok(());
                }
                Err(source) if is_gone(&source) => return Err(self.gone(source)),
                Err(error) => {
                    tracing::debug!(event = "tun_read_failed", error = %error);
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// The next packet if one waits already.
    pub fn try_receive(&self, room: &mut Received) -> bool {
        let read = self.device.try_recv_vectored(&mut room.slices());
        let length = read.as_ref().map_or(0, |length| room.begin + length);
        room.whole.set_len(length);
        read.is_ok()
    }

    /// Hands the kernel a whole packet, which it takes or refuses at once.
    pub fn send_whole(&self, whole: &Whole<'_>) -> io::Result<()> {
        self.device.try_send(whole.bytes()).map(|_| ())
    }

    /// Hands the kernel packets, which are none any more then. It takes them or refuses them at once:
    /// a TUN has no send buffer to wait for, so it is refused where the link is down.
    pub async fn send(&self, outbox: &mut Outbox) -> io::Result<()> {
        let (table, packets) = (&mut outbox.table, &mut outbox.packets[..outbox.count]);
        let sent = self
            .device
            .send_multiple(table, packets, VIRTIO_NET_HDR_LEN);
        outbox.count = 0;
        sent.await.map(|_| ())
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
