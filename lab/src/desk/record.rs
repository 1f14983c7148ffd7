//! What passes a link, as a stream: pcapng, each packet as it comes.

use std::borrow::Cow;
use std::io::{self, Stdout, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use fps_packet::{CaptureError, Direction, Tap, Tapped};
use pcap_file::pcapng::PcapNgWriter;
use pcap_file::pcapng::blocks::enhanced_packet::{EnhancedPacketBlock, EnhancedPacketOption};
use pcap_file::pcapng::blocks::interface_description::{
    InterfaceDescriptionBlock, InterfaceDescriptionOption,
};
use pcap_file::{DataLink, PcapError};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Client;

/// What was recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recording {
    /// Packets that were written.
    pub packets: u64,
    /// Packets that the kernel had no room for.
    pub lost: u32,
}

/// Writes what passes a link until Ctrl-C, the end of the lab, or until nobody reads any more. `pipe`
/// is what `to` writes to, where it may be one.
pub async fn record(
    mut tap: Tap,
    link: &str,
    lab: &Client,
    to: impl Write,
    pipe: Option<&Stdout>,
) -> io::Result<Recording> {
    let mut keys = signal(SignalKind::interrupt())?;
    let mut term = signal(SignalKind::terminate())?;
    let mut terminal = signal(SignalKind::hangup())?;
    // The lab says nothing on this connection until it ends.
    let lab = watch(lab.descriptor(), Interest::READABLE);
    let reader = pipe.and_then(|pipe| watch(pipe.as_fd(), Interest::ERROR));
    let mut packets = 0;
    let written = async {
        let mut stream = Stream::begin(to, link, tap.has_ethernet())?;
        loop {
            // What has come is written first, so that Ctrl-C cuts nothing off.
            while let Some(frame) = tap.take().map_err(Failure::Capture)? {
                stream.write(&frame)?;
                packets += 1;
            }
            tokio::select! {
                ready = tap.readable() => ready.map_err(Failure::Wait)?,
                () = any(&mut keys, &mut term, &mut terminal) => break,
                () = happens(lab.as_ref()) => break,
                () = happens(reader.as_ref()) => break,
            }
        }
        while let Some(frame) = tap.take().map_err(Failure::Capture)? {
            stream.write(&frame)?;
            packets += 1;
        }
        Ok(())
    };
    match written.await {
        Ok(()) | Err(Failure::NobodyReads) => {}
        Err(failure) => return Err(failure.into()),
    }
    let lost = tap.lost().map_err(Failure::Capture)?;
    Ok(Recording { packets, lost })
}

/// A stream of pcapng with one interface.
struct Stream<W: Write> {
    /// A block, until it is whole: then it is written at once.
    file: PcapNgWriter<Vec<u8>>,
    to: W,
}

impl<W: Write> Stream<W> {
    fn begin(to: W, link: &str, ethernet: bool) -> Result<Self, Failure> {
        let mut file = PcapNgWriter::new(Vec::new())?;
        file.write_pcapng_block(InterfaceDescriptionBlock {
            linktype: match ethernet {
                true => DataLink::ETHERNET,
                false => DataLink::RAW,
            },
            snaplen: 0,
            // Time stamps count nanoseconds.
            options: vec![
                InterfaceDescriptionOption::IfName(Cow::Borrowed(link)),
                InterfaceDescriptionOption::IfTsResol(9),
            ],
        })?;
        let mut stream = Self { file, to };
        stream.flush()?;
        Ok(stream)
    }

    fn write(&mut self, frame: &Tapped<'_>) -> Result<(), Failure> {
        self.file.write_pcapng_block(EnhancedPacketBlock {
            interface_id: 0,
            timestamp: frame.at,
            original_len: u32::try_from(frame.length).unwrap_or(u32::MAX),
            data: Cow::Borrowed(frame.bytes),
            options: vec![EnhancedPacketOption::Flags(flags(frame.direction))],
        })?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        let written = self.to.write_all(self.file.get_ref());
        self.file.get_mut().clear();
        written.and_then(|()| self.to.flush())?;
        Ok(())
    }
}

/// The word of a packet that says which way it went (`epb_flags` of pcapng: 1 is in, 2 is out).
fn flags(direction: Direction) -> u32 {
    match direction {
        Direction::Sent => 2,
        Direction::Other(_) => 0,
        _ => 1,
    }
}

/// Why a stream ended.
enum Failure {
    Capture(CaptureError),
    Wait(io::Error),
    Write(io::Error),
    NobodyReads,
}

impl From<PcapError> for Failure {
    fn from(error: PcapError) -> Self {
        match error {
            PcapError::IoError(error) => error.into(),
            error => Self::Write(io::Error::other(error)),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::NobodyReads,
            _ => Self::Write(error),
        }
    }
}

impl From<Failure> for io::Error {
    fn from(failure: Failure) -> Self {
        let named = |what, error: io::Error| Self::other(format!("{what}: {error}"));
        match failure {
            Failure::Capture(error) => Self::other(crate::chain(&error)),
            Failure::Wait(error) => named("wait for packets", error),
            Failure::Write(error) => named("write packets", error),
            Failure::NobodyReads => io::ErrorKind::BrokenPipe.into(),
        }
    }
}

/// Has the runtime watch a copy of a descriptor; none of a file, which has nothing to tell.
fn watch(descriptor: BorrowedFd<'_>, interest: Interest) -> Option<(AsyncFd<OwnedFd>, Interest)> {
    let copy = descriptor.try_clone_to_owned().ok()?;
    // SAFETY: an `OwnedFd` is open and keeps its number for as long as it lives, and the `AsyncFd`
    // owns it.
    let watched = unsafe { AsyncFd::register_with_interest(copy, interest) }.ok()?;
    Some((watched, interest))
}

/// Waits until something happens to a descriptor; forever, where there is none.
async fn happens(watched: Option<&(AsyncFd<OwnedFd>, Interest)>) {
    match watched {
        Some((watched, interest)) if watched.ready(*interest).await.is_ok() => {}
        _ => std::future::pending().await,
    }
}

async fn any(keys: &mut Signal, term: &mut Signal, terminal: &mut Signal) {
    tokio::select! {
        _ = keys.recv() => {}
        _ = term.recv() => {}
        _ = terminal.recv() => {}
    }
}
