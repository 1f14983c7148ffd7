//! Whole tables, read at once.

use netlink_packet_core::{
    NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkDeserializable, NetlinkMessage,
    NetlinkPayload, NetlinkSerializable,
};
use netlink_sys::Socket;
use nix::errno::Errno;

use crate::error::{Cause, Result};
use crate::request::{READINGS, acknowledged};

/// What the kernel fills at most in one read of a dump: it takes the largest size that it has seen
/// asked for, up to 32 KiB (`netlink_recvmsg` in net/netlink/af_netlink.c).
const READ_AT_ONCE: usize = 64 << 10;

/// Reads a table, and all of it anew where it has changed meanwhile. The kernel fills the answer while
/// it is read, so that there is nothing to wait for.
pub(crate) fn dump<I, T>(
    socket: &Socket,
    sequence: &mut u32,
    request: &NetlinkMessage<I>,
    read: impl Fn(I) -> Result<Option<T>, Cause>,
) -> Result<Vec<T>, Cause>
where
    I: NetlinkSerializable + NetlinkDeserializable + Clone,
{
    let mut once = || {
        *sequence = sequence.wrapping_add(1);
        dump_once(socket, *sequence, request.clone(), &read)
    };
    for _ in 1..READINGS {
        match once() {
            Err(Cause::Interrupted) => {}
            outcome => return outcome,
        }
    }
    once()
}

fn dump_once<I, T>(
    socket: &Socket,
    sequence: u32,
    mut request: NetlinkMessage<I>,
    read: impl Fn(I) -> Result<Option<T>, Cause>,
) -> Result<Vec<T>, Cause>
where
    I: NetlinkSerializable + NetlinkDeserializable,
{
    request.header.flags = NLM_F_REQUEST | NLM_F_DUMP;
    request.header.sequence_number = sequence;
    request.finalize();
    let mut bytes = vec![0; request.buffer_len()];
    request.serialize(&mut bytes);
    socket.send(&bytes, 0)?;
    let (mut found, mut interrupted, mut outcome) = (Vec::new(), false, None);
    while outcome.is_none() {
        receive(socket, |answer: NetlinkMessage<I>| {
            // Of an earlier request that failed there may be answers left.
            if answer.header.sequence_number != sequence {
                return Ok(());
            }
            interrupted |= answer.header.flags & NLM_F_DUMP_INTR != 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(message) => found.extend(read(message)?),
                NetlinkPayload::Done(done) => outcome = Some(acknowledged(done.code)),
                NetlinkPayload::Error(error) => outcome = Some(acknowledged(error.raw_code())),
                _ => {}
            }
            Ok(())
        })?;
    }
    outcome.unwrap_or(Ok(()))?;
    if interrupted {
        return Err(Cause::Interrupted);
    }
    Ok(found)
}

/// Reads one datagram, and shows each of its messages.
pub(crate) fn receive<I: NetlinkDeserializable>(
    socket: &Socket,
    mut show: impl FnMut(NetlinkMessage<I>) -> Result<(), Cause>,
) -> Result<(), Cause> {
    let mut datagram = Vec::with_capacity(READ_AT_ONCE);
    match socket.recv(&mut datagram, 0) {
        Ok(_) => {}
        Err(error) if error.raw_os_error() == Some(Errno::ENOBUFS as i32) => {
            return Err(Cause::Overrun);
        }
        Err(error) => return Err(error.into()),
    }
    let mut rest = &datagram[..];
    while !rest.is_empty() {
        let message = NetlinkMessage::deserialize(rest)?;
        // Messages begin at multiples of four bytes (NLMSG_ALIGN).
        let length = (message.header.length as usize).next_multiple_of(4);
        rest = rest.get(length..).unwrap_or_default();
        show(message)?;
    }
    Ok(())
}
