//! Requests and their acknowledgement.

use std::os::fd::OwnedFd;
use std::sync::Arc;

use futures_util::{Stream, StreamExt};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_REQUEST, NetlinkMessage, NetlinkPayload,
};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_sys::AsyncSocket;
use nix::errno::Errno;
use rtnetlink::Handle;
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use crate::error::{Cause, Error, Result};
use crate::{Port, socket};

/// How often a table is read that changes each time.
pub(crate) const READINGS: usize = 5;

/// One NETLINK_ROUTE socket. Clones share it.
///
/// It speaks to the network namespace in which the socket was made, from any thread. It must be
/// made inside a tokio runtime with I/O enabled, and lives as long as that runtime.
#[derive(Clone, Debug)]
pub struct Netlink {
    handle: Handle,
    /// A socket carries one dump at a time; a second one is refused with EBUSY (af_netlink.c).
    dumping: Arc<Mutex<()>>,
    port: Port,
    _connection: Arc<Connection>,
}

#[derive(Debug)]
struct Connection(JoinHandle<()>);

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Netlink {
    /// Opens a socket in the namespace of the calling thread.
    pub fn open() -> Result<Self> {
        let socket = socket::open().map_err(|e| Error::new("open a netlink socket", e.into()))?;
        Self::from_socket(socket)
    }

    /// Takes a NETLINK_ROUTE socket that was made elsewhere.
    pub fn from_socket(socket: OwnedFd) -> Result<Self> {
        let set_up = |e: std::io::Error| Error::new("set up a netlink socket", e.into());
        let mut socket = socket::adopt(socket).map_err(set_up)?;
        let port = Port(
            socket
                .socket_mut()
                .bind_auto()
                .map_err(set_up)?
                .port_number(),
        );
        let (mut connection, handle, _unsolicited) = rtnetlink::from_socket(socket);
        // Without these the end of the stream is all that tells success, and a connection that
        // dies looks the same.
        connection.set_forward_ack(true);
        connection.set_forward_done(true);
        let task = tokio::spawn(connection);
        Ok(Self {
            handle,
            dumping: Arc::default(),
            port,
            _connection: Arc::new(Connection(task)),
        })
    }

    /// The socket's number.
    pub fn port(&self) -> Port {
        self.port
    }

    fn send(
        &self,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<impl Stream<Item = NetlinkMessage<RouteNetlinkMessage>> + use<>, Cause> {
        let mut request = NetlinkMessage::from(message);
        request.header.flags = NLM_F_REQUEST | flags;
        let mut handle = self.handle.clone();
        handle.request(request).map_err(|_| Cause::NoAnswer)
    }

    /// Sends a change and waits for the kernel's acknowledgement.
    pub(crate) async fn change(
        &self,
        operation: impl FnOnce() -> String,
        message: RouteNetlinkMessage,
        flags: u16,
    ) -> Result<()> {
        let outcome = async {
            let mut answers = self.send(message, NLM_F_ACK | flags)?;
            while let Some(answer) = answers.next().await {
                if let NetlinkPayload::Error(error) = answer.payload {
                    return acknowledged(error.raw_code());
                }
            }
            Err(Cause::NoAnswer)
        };
        outcome
            .await
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// Asks for one object.
    pub(crate) async fn get(
        &self,
        operation: impl FnOnce() -> String,
        message: RouteNetlinkMessage,
    ) -> Result<RouteNetlinkMessage> {
        let outcome = async {
            let mut answers = self.send(message, 0)?;
            match answers.next().await.map(|answer| answer.payload) {
                Some(NetlinkPayload::InnerMessage(message)) => Ok(message),
                Some(NetlinkPayload::Error(error)) => {
                    acknowledged(error.raw_code()).and(Err(Cause::NoAnswer))
                }
                _ => Err(Cause::NoAnswer),
            }
        };
        outcome
            .await
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// Reads a whole table.
    pub(crate) async fn dump(
        &self,
        operation: impl FnOnce() -> String,
        message: RouteNetlinkMessage,
    ) -> Result<Vec<RouteNetlinkMessage>> {
        let _one_at_a_time = self.dumping.lock().await;
        consistent(async || self.read(message.clone()).await)
            .await
            .map_err(|cause| Error::new(operation(), cause))
    }

    /// Reads a whole table once.
    async fn read(&self, message: RouteNetlinkMessage) -> Result<Vec<RouteNetlinkMessage>, Cause> {
        let mut answers = self.send(message, NLM_F_DUMP)?;
        let mut found = Vec::new();
        let mut interrupted = false;
        while let Some(answer) = answers.next().await {
            interrupted |= answer.header.flags & NLM_F_DUMP_INTR != 0;
            match answer.payload {
                NetlinkPayload::InnerMessage(message) => found.push(message),
                NetlinkPayload::Done(done) => {
                    acknowledged(done.code)?;
                    return if interrupted {
                        Err(Cause::Interrupted)
                    } else {
                        Ok(found)
                    };
                }
                NetlinkPayload::Error(error) => acknowledged(error.raw_code())?,
                NetlinkPayload::Overrun(_) => return Err(Cause::Overrun),
                _ => {}
            }
        }
        Err(Cause::NoAnswer)
    }
}

/// Reads until the table has not changed meanwhile.
///
/// The kernel does not lock a table from one part of a dump to the next. Where it finds that the
/// table has changed it says so (`NLM_F_DUMP_INTR`, nl_dump_check_consistent in net/netlink.h),
/// and leaves it to us to read again, as iproute2 does.
async fn consistent<T>(mut read: impl AsyncFnMut() -> Result<T, Cause>) -> Result<T, Cause> {
    for _ in 1..READINGS {
        match read().await {
            Err(Cause::Interrupted) => {}
            outcome => return outcome,
        }
    }
    read().await
}

/// Turns the code of an NLMSG_ERROR or NLMSG_DONE message into a result.
pub(crate) fn acknowledged(code: i32) -> Result<(), Cause> {
    match code {
        0 => Ok(()),
        code => Err(Cause::Kernel {
            errno: Errno::from_raw(code.abs()),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How often a table is read that changes during the first few readings, and what comes of
    /// it.
    async fn readings(interrupted: usize) -> (usize, Result<(), Cause>) {
        let mut count = 0;
        let outcome = consistent(async || {
            count += 1;
            if count <= interrupted {
                return Err(Cause::Interrupted);
            }
            Ok(())
        })
        .await;
        (count, outcome)
    }

    #[tokio::test]
    async fn a_table_that_changes_meanwhile_is_read_again() {
        assert!(matches!(readings(0).await, (1, Ok(()))));
        assert!(matches!(readings(4).await, (5, Ok(()))));
    }

    #[tokio::test]
    async fn a_table_that_changes_all_the_time_is_given_up() {
        let given_up = readings(usize::MAX).await;
        assert!(matches!(given_up, (READINGS, Err(Cause::Interrupted))));
    }

    #[tokio::test]
    async fn another_error_is_no_reason_to_read_again() {
        let mut count = 0;
        let outcome: Result<(), Cause> = consistent(async || {
            count += 1;
            Err(Cause::NoAnswer)
        })
        .await;
        assert!(matches!((count, outcome), (1, Err(Cause::NoAnswer))));
    }
}
