//! What passed the interfaces of a host, from the moment that the tape was armed.

use std::sync::{Arc, Mutex, PoisonError};

use fps_packet::{Capture, CaptureError, Frame};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::sandbox::{HostId, Sandbox, SandboxError, SocketKind};

/// More than any scenario needs. What does not fit counts as dropped, so that no check can pass
/// on it.
const LONGEST: usize = 200_000;

/// What is asked of the recorder, and where it tells how many packets were lost.
#[derive(Debug)]
struct Request {
    rewind: bool,
    tell: oneshot::Sender<Result<u32, CaptureError>>,
}

/// A capture on every interface of a host, the ones that come later included.
#[derive(Debug)]
pub struct Tape {
    frames: Arc<Mutex<Vec<Frame>>>,
    growth: watch::Receiver<usize>,
    recorder_in: mpsc::Sender<Request>,
    recorder: JoinHandle<()>,
}

/// A tape that could not be armed or read.
#[derive(Debug, thiserror::Error)]
pub enum TapeError {
    /// The sandbox gave no socket.
    #[error(transparent)]
    Sandbox(#[from] SandboxError),
    /// The capture failed.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The recorder ended.
    #[error("the capture ended before it was asked to")]
    Ended,
}

impl Tape {
    /// Starts to record. Every packet that passes after this returns is seen.
    pub fn arm(sandbox: &Sandbox, host: HostId) -> Result<Self, TapeError> {
        let capture = Capture::arm(sandbox.socket(host, SocketKind::Packet)?)?;
        let frames = Arc::default();
        let (grown, growth) = watch::channel(0);
        let (recorder_in, requests) = mpsc::channel(1);
        let reel = Reel {
            capture,
            frames: Arc::clone(&frames),
            grown,
            overflow: 0,
            forgiven: 0,
        };
        let recorder = tokio::spawn(record(reel, requests));
        Ok(Self {
            frames,
            growth,
            recorder_in,
            recorder,
        })
    }

    /// Reads all that the kernel has seen up to now; gives how many packets it has lost.
    ///
    /// A packet is on the tape before its answer can be read from a socket, so that after this
    /// an attempt that was answered has its question on the tape.
    pub async fn sync(&self) -> Result<u32, TapeError> {
        self.ask(false).await
    }

    /// Forgets all that has passed up to now.
    ///
    /// The capture goes on: to close one and open another would cost a grace period of RCU, ten
    /// to twenty milliseconds (`packet_release` in net/packet/af_packet.c).
    pub async fn rewind(&self) -> Result<(), TapeError> {
        self.ask(true).await.map(drop)
    }

    async fn ask(&self, rewind: bool) -> Result<u32, TapeError> {
        let (tell, told) = oneshot::channel();
        self.recorder_in
            .send(Request { rewind, tell })
            .await
            .map_err(|_| TapeError::Ended)?;
        Ok(told.await.map_err(|_| TapeError::Ended)??)
    }

    /// Changes whenever something new is on the tape.
    pub fn growth(&self) -> watch::Receiver<usize> {
        self.growth.clone()
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

struct Reel {
    capture: Capture,
    frames: Arc<Mutex<Vec<Frame>>>,
    grown: watch::Sender<usize>,
    overflow: u32,
    /// What the kernel had lost when the tape was last rewound.
    forgiven: u32,
}

impl Reel {
    fn read(&mut self) -> Result<(), CaptureError> {
        let new = self.capture.drain()?;
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LONGEST - frames.len();
        self.overflow += u32::try_from(new.len().saturating_sub(room)).unwrap_or(u32::MAX);
        frames.extend(new.into_iter().take(room));
        self.grown.send_replace(frames.len());
        Ok(())
    }

    fn lost(&mut self) -> Result<u32, CaptureError> {
        self.read()?;
        Ok(self.overflow + self.capture.dropped()? - self.forgiven)
    }

    fn rewind(&mut self) -> Result<u32, CaptureError> {
        self.read()?;
        self.forgiven = self.capture.dropped()?;
        self.overflow = 0;
        self.frames
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        Ok(0)
    }
}

async fn record(mut reel: Reel, mut requests: mpsc::Receiver<Request>) {
    let mut healthy = true;
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some(request) = request else { return };
                // Who asked may have been cancelled.
                let answer = if request.rewind { reel.rewind() } else { reel.lost() };
                drop(request.tell.send(answer));
            }
            ready = reel.capture.readable(), if healthy => {
                // A failure shows again, and is told, at the next sync.
                healthy = ready.is_ok() && reel.read().is_ok();
            }
        }
    }
}
