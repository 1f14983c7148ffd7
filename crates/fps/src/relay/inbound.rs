//! From the link to the plain side: ours are taken out, the application's go on.

use std::rc::Rc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::turn::Turn;
use super::{RelayError, Shared, Side, count, count_packets};
use crate::session::{Event, Verdict};
use fps_wire::RecordParser;
use fps_wire::extension::Extension;

use crate::tunnel::Inbound;

/// Runs until the link ends, then ends the plain side's direction. A carrier that only sends is of
/// no use to the tunnel, so it leaves.
pub(super) async fn pump(
    shared: &Shared<'_>,
    mut link: ReadHalf<'_>,
    mut plain: WriteHalf<'_>,
) -> Result<(), RelayError> {
    let mut parser = RecordParser::default();
    let mut forwarded = Vec::new();
    let mut turn = Turn::begin();
    loop {
        let read = link.read_buf(parser.spare(shared.read_buffer_size)).await;
        let read = read.map_err(|error| RelayError::Read(Side::Link, error))?;
        forwarded.clear();
        let taken = take_out(shared, &mut parser, &mut forwarded);
        count(&shared.from_link, read);
        shared.tunnel.have_read(shared.id, read);
        shared.tunnel.flush().await;
        taken?;
        if !forwarded.is_empty() {
            let written = plain.write_all(&forwarded).await;
            written.map_err(|error| RelayError::Write(Side::Plain, error))?;
        }
        turn.may_end().await;
        if read == 0 {
            shared.remove();
            return super::shutdown(plain, Side::Plain).await;
        }
    }
}

fn take_out(
    shared: &Shared<'_>,
    parser: &mut RecordParser,
    forwarded: &mut Vec<u8>,
) -> Result<(), RelayError> {
    while let Some(record) = parser.next_record_mut() {
        let mut session = shared.session.borrow_mut();
        match session.take(record, &mut |event| act(shared, event))? {
            Verdict::Forward => forwarded.extend_from_slice(record),
            Verdict::Consume => note_extension(shared, session.extension()),
        }
    }
    shared.check_skipped(parser, Side::Link)
}

/// No packet comes from the device in between: it waits until this task does.
fn note_extension(shared: &Shared<'_>, extension: Option<Extension>) {
    if let Some(extension) = extension
        && !shared.queue.takes_whole()
    {
        shared.queue.take_whole();
        let (id, cipher) = (shared.id.0, extension.cipher());
        tracing::info!(event = "carrier_extended", id, cipher);
    }
}

fn act(shared: &Shared<'_>, event: Event<'_>) {
    match event {
        Event::Refused(refusal) => shared.tunnel.refused(refusal),
        Event::Registered(registration) => {
            tracing::info!(event = "zero_rtt_authenticated", id = shared.id.0);
            let queue = Rc::clone(&shared.queue);
            shared.tunnel.register(shared.id, queue, registration);
            // The server's accept waits in the session for the other pump, and the application's
            // records wait in the client's.
            shared.queue.wake();
        }
        Event::Opened => shared.tunnel.opened(),
        Event::Packet(packet) => deliver(shared, Inbound::Packet(packet)),
        Event::Whole(packet) => deliver(shared, Inbound::Whole(packet)),
        Event::Dropped(dropped) => shared.tunnel.fragment_dropped(dropped),
    }
}

fn deliver(shared: &Shared<'_>, inbound: Inbound<'_>) {
    count_packets(&shared.registration.received, 1);
    shared.tunnel.deliver(shared.id, inbound);
}
