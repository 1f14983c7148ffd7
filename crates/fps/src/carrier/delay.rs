//! A long way: passes connections on, each byte so much later.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::args::DelayArgs;
use super::{CarrierError, announce};

/// How much one read may bring.
const READ: usize = 16 << 10;
/// How many reads are on the way at once; more wait at the sender.
const ON_THE_WAY: usize = 4096;

/// Passes on until it is dropped.
pub(super) async fn run(args: DelayArgs) -> Result<(), CarrierError> {
    let failed = |error| CarrierError::Listen(args.listen, error);
    let listener = TcpListener::bind(args.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    announce(&format!("delay {address}"));
    loop {
        let (near, peer) = listener.accept().await.map_err(failed)?;
        tracing::info!(event = "accepted", peer = %peer);
        let (to, delay) = (args.connect, Duration::from_millis(args.delay_ms));
        tokio::spawn(async move {
            let error = pass(near, to, delay).await.err();
            let error = error.map(|error| error.to_string());
            tracing::info!(event = "session_closed", peer = %peer, error);
        });
    }
}

async fn pass(near: TcpStream, to: SocketAddr, delay: Duration) -> std::io::Result<()> {
    let far = TcpStream::connect(to).await?;
    for stream in [&near, &far] {
        stream.set_nodelay(true)?;
    }
    let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
    tokio::try_join!(
        later(near_in, far_out, delay),
        later(far_in, near_out, delay)
    )?;
    Ok(())
}

/// One direction, to its end.
async fn later(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    delay: Duration,
) -> std::io::Result<()> {
    let (send, mut sent) = mpsc::channel::<(Instant, Vec<u8>)>(ON_THE_WAY);
    let read = async {
        loop {
            let mut bytes = Vec::with_capacity(READ);
            let length = from.read_buf(&mut bytes).await?;
            let due = Instant::now() + delay;
            // Whoever writes is gone where it fails, and has said why.
            if length == 0 || send.send((due, bytes)).await.is_err() {
                drop(send);
                return Ok(());
            }
        }
    };
    let write = async {
        while let Some((due, bytes)) = sent.recv().await {
            sleep_until(due).await;
            to.write_all(&bytes).await?;
        }
        to.shutdown().await
    };
    tokio::try_join!(read, write).map(|_| ())
}
