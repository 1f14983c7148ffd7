//! What passed the interfaces of a host.
//!
//! - [`Tape`]: a capture on all of them, for as long as a play lasts
//! - `pcap`: a tape as a file for Wireshark
//! - `reel`: the task that reads it
//! - [`LinkNames`]: which interface a packet's index means, even one that is gone

mod names;
mod pcap;
mod reel;

use std::sync::{Arc, Mutex, PoisonError};

use fps_packet::{Capture, CaptureError, Frame};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

pub use names::LinkNames;
use reel::{Ask, Reel, Request, record};

use crate::lab::Host;
use crate::sandbox::{Sandbox, SandboxError, SocketKind};

/// A capture on every interface of a host, the ones that come later included.
#[derive(Debug)]
pub struct Tape {
    frames: Arc<Mutex<Vec<Frame>>>,
    names: LinkNames,
    growth: watch::Receiver<usize>,
    requests: mpsc::Sender<Request>,
    recorder: JoinHandle<()>,
}

/// A tape that could not be armed or read.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The sandbox gave no socket.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The capture could not be armed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The interfaces' names cannot be read.
    #[error("follow the names of a host's interfaces")]
    Names(#[from] fps_netlink::Error),
    /// A read failed, and what it would have given is lost.
    #[error("the capture failed and has a hole: {0}")]
    Hole(String),
    /// The recorder ended.
    #[error("the capture ended before it was asked to")]
    Ended,
}

impl Tape {
    /// Starts to record. Every packet that passes after this returns is seen.
    pub async fn arm(sandbox: &Sandbox, host: &Host) -> Result<Self, TapeError> {
        let events = sandbox.socket(host.id(), SocketKind::Route)?;
        let names = LinkNames::follow(events, host.station().netlink()).await?;
        let capture = Capture::arm(sandbox.socket(host.id(), SocketKind::Packet)?)?;
        let frames = Arc::default();
        let (grown, growth) = watch::channel(0);
        let (requests, asked) = mpsc::channel(1);
        let reel = Reel::new(capture, Arc::clone(&frames), grown);
        let recorder = tokio::spawn(record(reel, asked));
        Ok(Self {
            frames,
            names,
            growth,
            requests,
            recorder,
        })
    }

    /// Reads all that the kernel has seen up to now; gives how many packets it has lost since the
    /// tape was rewound.
    ///
    /// A packet is on the tape before its answer can be read from a socket, so that after this
    /// an attempt that was answered has its question on the tape.
    pub async fn sync(&self) -> Result<u32, TapeError> {
        let lost = self.ask(Ask::Keep).await?;
        let strange = self.look(|frames| frames.iter().any(|f| self.names.of(f.ifindex).is_none()));
        if strange {
            self.names.refresh().await?;
        }
        Ok(lost)
    }

    /// Forgets all that has passed up to now.
    ///
    /// The capture goes on: to close one and open another would cost a grace period of RCU, ten
    /// to twenty milliseconds (`packet_release` in net/packet/af_packet.c).
    pub async fn rewind(&self) -> Result<(), TapeError> {
        self.ask(Ask::Rewind).await?;
        self.names.forget();
        Ok(())
    }

    /// Forgets all, and records nothing until it is rewound: while a play is held, for as long as
    /// somebody likes.
    pub async fn rest(&self) -> Result<(), TapeError> {
        self.ask(Ask::Rest).await.map(drop)
    }

    async fn ask(&self, ask: Ask) -> Result<u32, TapeError> {
        let (tell, told) = oneshot::channel();
        let request = Request { ask, tell };
        self.requests
            .send(request)
            .await
            .map_err(|_| TapeError::Ended)?;
        told.await
            .map_err(|_| TapeError::Ended)?
            .map_err(TapeError::Hole)
    }

    /// Changes whenever something new is on the tape.
    pub fn growth(&self) -> watch::Receiver<usize> {
        self.growth.clone()
    }

    /// The names that the frames' indices mean.
    pub fn names(&self) -> &LinkNames {
        &self.names
    }

    /// Looks through what has been recorded, in order.
    pub fn look<T>(&self, look: impl FnOnce(&[Frame]) -> T) -> T {
        look(&self.frames.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Tape {
    fn drop(&mut self) {
        self.recorder.abort();
    }
}
