//! From the plain side to the link: the application's records, and ours between them.

use std::future;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{ReadHalf, WriteHalf};

use super::turn::Turn;
use super::{RelayError, Shared, Side, count, count_packets};
use crate::session::Batch;
use fps_wire::RecordParser;

/// How much is gathered for one write before the plain side is looked at again.
const BATCH: usize = 64 << 10;

/// Runs until the plain side ends, then ends the link's direction. From then on no packet can
/// leave on this carrier, so it leaves the tunnel.
pub(super) async fn pump(
    shared: &Shared<'_>,
    mut plain: ReadHalf<'_>,
    mut link: WriteHalf<'_>,
) -> Result<(), RelayError> {
    let mut parser = RecordParser::default();
    let mut batch = Batch::with_capacity(BATCH);
    let mut turn = Turn::begin();
    loop {
        let mut ended = false;
        let paused = shared.session.borrow().is_paused();
        // Which ready branch is taken is left to chance: neither the application nor the tunnel
        // can starve the other.
        tokio::select! {
            read = plain.read_buf(parser.spare(shared.read_buffer_size)), if !paused => {
                ended = read.map_err(|error| RelayError::Read(Side::Plain, error))? == 0;
            }
            () = future::ready(()), if !shared.queue.is_empty() => {}
            () = shared.queue.woken() => {}
        }
        batch.records.clear();
        forward(shared, &mut parser, &mut batch.records)?;
        insert(shared, &parser, &mut batch)?;
        if !batch.is_empty() {
            shared.queue.set_writes(true);
            let written = link.write_all_buf(&mut batch.bytes()).await;
            shared.queue.set_writes(false);
            written.map_err(|error| RelayError::Write(Side::Link, error))?;
            count(&shared.to_link, batch.len());
            if let Some(packet) = batch.packet.take() {
                shared.tunnel.give_back(packet);
            }
            turn.may_end().await;
        }
        if ended {
            shared.remove();
            return super::shutdown(link, Side::Link).await;
        }
    }
}

fn forward(
    shared: &Shared<'_>,
    parser: &mut RecordParser,
    batch: &mut Vec<u8>,
) -> Result<(), RelayError> {
    let mut session = shared.session.borrow_mut();
    while let Some(record) = parser.next_record() {
        session.forward(record);
        batch.extend_from_slice(record.as_bytes());
    }
    drop(session);
    shared.check_skipped(parser, Side::Plain)
}

fn insert(shared: &Shared<'_>, parser: &RecordParser, batch: &mut Batch) -> Result<(), RelayError> {
    let mut session = shared.session.borrow_mut();
    let at_boundary = parser.is_at_boundary();
    session.poll_transmit(Instant::now(), at_boundary, &mut batch.records)?;
    let sealed = session.seal(&shared.queue, BATCH, batch);
    shared.tunnel.sealed(sealed);
    let sent = sealed.packets.saturating_sub(sealed.lost);
    count_packets(&shared.registration.sent, sent);
    Ok(())
}
