//! A tape as a file for Wireshark: pcapng (draft-ietf-opsawg-pcapng) with the names of interfaces.

use std::borrow::Cow;
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use fps_packet::{Direction, Frame};
use indexmap::IndexSet;
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::EnhancedPacketBlock;
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};

use super::Tape;

/// Ethernet, in the header that stands before each packet (`ARPHRD_ETHER` in linux/if_arp.h).
const ETHER: u16 = 1;

impl Tape {
    /// Writes what is on the tape. A packet begins with the "cooked" header of libpcap, since a
    /// capture keeps no link-layer header, and since that says which way the packet went.
    pub fn write_pcapng(&self, to: impl Write) -> Result<(), PcapError> {
        let (now, clock) = (Instant::now(), SystemTime::now());
        let epoch = clock.duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut file = PcapNgWriter::new(to)?;
        self.look(|frames| {
            let links: IndexSet<u32> = frames.iter().map(|frame| frame.ifindex).collect();
            for link in &links {
                file.write_pcapng_block(self.interface(*link))?;
            }
            for frame in frames {
                let interface_id = links.get_index_of(&frame.ifindex).unwrap_or_default();
                let interface_id = u32::try_from(interface_id).unwrap_or_default();
                let ago = now.saturating_duration_since(frame.at);
                file.write_pcapng_block(packet(frame, interface_id, epoch.saturating_sub(ago)))?;
            }
            Ok(())
        })
    }

    fn interface(&self, index: u32) -> InterfaceDescriptionBlock<'static> {
        let name = Cow::Owned(self.names().show(index));
        InterfaceDescriptionBlock {
            linktype: DataLink::LINUX_SLL,
            snaplen: 0,
            // Time stamps count nanoseconds.
            options: vec![
                InterfaceDescriptionOption::IfName(name),
                InterfaceDescriptionOption::IfTsResol(9),
            ],
        }
    }
}

fn packet(frame: &Frame, interface_id: u32, timestamp: Duration) -> EnhancedPacketBlock<'static> {
    let header = cooked(frame);
    let length = frame.length.saturating_add(header.len());
    EnhancedPacketBlock {
        interface_id,
        timestamp,
        original_len: u32::try_from(length).unwrap_or(u32::MAX),
        data: Cow::Owned([&header[..], &frame.bytes].concat()),
        options: Vec::new(),
    }
}

/// The header of LINKTYPE_LINUX_SLL: which way, kind of hardware, no address, EtherType.
fn cooked(frame: &Frame) -> [u8; 16] {
    let way: u16 = match frame.direction {
        Direction::Received => 0,
        Direction::Broadcast => 1,
        Direction::Multicast => 2,
        Direction::OtherHost => 3,
        Direction::Sent => 4,
        Direction::Other(other) => other.into(),
    };
    let mut header = [0; 16];
    header[0..2].copy_from_slice(&way.to_be_bytes());
    header[2..4].copy_from_slice(&ETHER.to_be_bytes());
    header[14..16].copy_from_slice(&frame.protocol.to_be_bytes());
    header
}
