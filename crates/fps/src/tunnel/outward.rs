//! From the device to the carriers.

use fps_wire::classified::Spread;

use super::counters::add;
use super::{Chunk, DropReason, Flow, InnerAddresses, PacketQueue, Received, Tunnel, Way};

impl Tunnel {
    /// What was held goes on, or is held again.
    pub(super) fn send_held(&self) {
        let (Some(device), Some(packets)) = (&self.device, self.held.take()) else {
            return;
        };
        let mut room = device.room();
        while let Some(chunk) = packets.pop() {
            match chunk {
                Chunk::Packed(packed) => packed.iter().for_each(|bytes| {
                    room.spread().fill(bytes);
                    self.send(&mut room);
                }),
                Chunk::Spread(packet, _) => {
                    self.give_back(std::mem::replace(room.spread(), packet));
                    self.send(&mut room);
                }
            }
        }
    }

    /// What was read from the device goes to a carrier: whole, or in packets of the MTU. What goes
    /// nowhere is one packet, however long.
    pub(super) fn send(&self, received: &mut Received) {
        match self.choose(received) {
            Ok((Way::By(queue), flow)) if queue.takes_whole() => {
                self.count_from_device(received.packet_len());
                if !self.put(&queue, received, flow) {
                    self.drops.count(DropReason::QueueFull);
                }
            }
            Ok((Way::By(queue), flow)) => self.send_split(&queue, received, flow),
            Ok((Way::Later, flow)) => {
                let length = received.packet_len();
                if !self.held.add(|queue| self.put(queue, received, flow)) {
                    self.count_from_device(length);
                    self.drops.count(DropReason::QueueFull);
                }
            }
            Err(reason) => {
                self.count_from_device(received.packet_len());
                self.drops.count(reason);
            }
        }
    }

    fn choose(&self, received: &Received) -> Result<(Way, Flow), DropReason> {
        let addresses = received
            .begin()
            .and_then(|whole| InnerAddresses::of(whole.packet()));
        let addresses = addresses.ok_or(DropReason::NotIp)?;
        let way = self.dispatch.borrow_mut().choose(&addresses)?;
        Ok((way, addresses.flow))
    }

    fn send_split(&self, queue: &PacketQueue, received: &mut Received, flow: Flow) {
        let whole = received.packet_len();
        let mut packets = received.packets().peekable();
        if packets.peek().is_none() {
            // Longer than the MTU that the device was opened with: somebody has raised it since.
            self.count_from_device(whole);
            self.drops.count(DropReason::TooLarge);
        }
        for packet in packets {
            self.count_from_device(packet.len());
            self.queue(queue, packet, flow);
        }
    }

    fn count_from_device(&self, length: usize) {
        add(&self.counters.packets_from_device, 1);
        add(&self.counters.bytes_from_device, length as u64);
    }

    /// A long packet stays where it is, and is read by another buffer next.
    fn put(&self, queue: &PacketQueue, received: &mut Received, flow: Flow) -> bool {
        let packet = received.spread();
        match packet.len() <= Spread::PART {
            true => queue.push(packet.first(), flow),
            false => queue.push_spread(packet, flow, || self.spares.take()),
        }
    }

    /// Takes back the buffer of a packet that has been written.
    pub(crate) fn give_back(&self, packet: Spread) {
        self.spares.give_back(packet);
    }

    fn queue(&self, queue: &PacketQueue, bytes: &[u8], flow: Flow) {
        if !queue.push(bytes, flow) {
            self.drops.count(DropReason::QueueFull);
        }
    }
}
