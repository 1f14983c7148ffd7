//! Something that a lab is asked to do.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::Failure;

/// Something that a lab is asked to do: `.await` it, on whatever runtime, or [`wait`](Self::wait) for it
/// in a test without one. Nothing is done before.
#[must_use = "nothing is done until it is awaited"]
pub struct Doing<'a, T>(Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'a>>);

impl<'a, T> Doing<'a, T> {
    pub(super) fn new(doing: impl Future<Output = Result<T, Failure>> + Send + 'a) -> Self {
        Self(Box::pin(doing))
    }

    /// Waits until it is done, in a test that is no `async fn`.
    ///
    /// # Panics
    /// In an async function, where `.await` is the way.
    pub fn wait(self) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        match runtime {
            Ok(runtime) => runtime.block_on(self),
            Err(error) => Err(Failure::no_lab(format!("wait for the lab: {error}"))),
        }
    }
}

impl<T> Future for Doing<'_, T> {
    type Output = Result<T, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<T> fmt::Debug for Doing<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Doing")
    }
}
