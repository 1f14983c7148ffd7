//! The task that reads a capture.

use std::sync::{Arc, Mutex, PoisonError};

use fps_packet::{Capture, CaptureError, Frame};
use tokio::sync::{mpsc, oneshot, watch};

/// More than any scenario needs. What does not fit counts as lost, so that no check can pass on
/// it.
const LONGEST: usize = 200_000;

/// What is asked of the recorder, and where it tells how many packets were lost.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) ask: Ask,
    pub(super) tell: oneshot::Sender<Result<u32, String>>,
}

/// What is to become of what was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ask {
    /// It stays.
    Keep,
    /// It is forgotten, and what comes is recorded.
    Rewind,
    /// It is forgotten, and so is all that comes, until the next rewind.
    Rest,
}

pub(super) struct Reel {
    capture: Capture,
    frames: Arc<Mutex<Vec<Frame>>>,
    grown: watch::Sender<usize>,
    overflow: u32,
    /// What comes is forgotten.
    resting: bool,
    /// What the kernel had lost when the tape was last rewound.
    forgiven: u32,
    /// The first failure: what it would have read is gone, so every later answer is this.
    hole: Option<String>,
}

impl Reel {
    pub(super) fn new(
        capture: Capture,
        frames: Arc<Mutex<Vec<Frame>>>,
        grown: watch::Sender<usize>,
    ) -> Self {
        Self {
            capture,
            frames,
            grown,
            overflow: 0,
            resting: false,
            forgiven: 0,
            hole: None,
        }
    }

    fn answer(&mut self, ask: Ask) -> Result<u32, String> {
        self.read();
        let lost = self.capture.dropped();
        let lost = self.or_hole(lost);
        if let Some(hole) = &self.hole {
            return Err(hole.clone());
        }
        let lost = lost.unwrap_or_default();
        if ask != Ask::Keep {
            self.resting = ask == Ask::Rest;
            self.forgiven = lost;
            self.overflow = 0;
            self.frames
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clear();
        }
        Ok(self.overflow + lost - self.forgiven)
    }

    fn read(&mut self) {
        let new = self.capture.drain();
        let Some(new) = self.or_hole(new) else { return };
        if self.resting {
            return;
        }
        let mut frames = self.frames.lock().unwrap_or_else(PoisonError::into_inner);
        let room = LONGEST - frames.len();
        self.overflow += u32::try_from(new.len().saturating_sub(room)).unwrap_or(u32::MAX);
        frames.extend(new.into_iter().take(room));
        self.grown.send_replace(frames.len());
    }

    fn or_hole<T>(&mut self, result: Result<T, CaptureError>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) => {
                self.hole.get_or_insert(crate::chain(&error));
                None
            }
        }
    }
}

/// Reads whenever there is something, and when asked.
pub(super) async fn record(mut reel: Reel, mut requests: mpsc::Receiver<Request>) {
    loop {
        tokio::select! {
            request = requests.recv() => {
                let Some(request) = request else { return };
                // Who asked may have been cancelled.
                drop(request.tell.send(reel.answer(request.ask)));
            }
            ready = reel.capture.readable(), if reel.hole.is_none() => {
                if reel.or_hole(ready).is_some() {
                    reel.read();
                }
            }
        }
    }
}
