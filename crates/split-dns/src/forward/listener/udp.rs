//! Questions by UDP.

use std::io;
use std::rc::Rc;

use tokio::net::UdpSocket;

use super::super::client::Client;
use super::super::forwarder::Forwarder;

/// The longest question; a longer one is cut, and malformed.
const LONGEST: usize = 4096;

/// Takes each question until the socket fails.
pub(super) async fn serve(socket: Rc<UdpSocket>, forwarder: Rc<Forwarder>) -> io::Error {
    let mut bytes = vec![0; LONGEST];
    loop {
        let (length, peer) = match socket.recv_from(&mut bytes).await {
            Ok(received) => received,
            Err(error) => return error,
        };
        let client = Client::Udp {
            socket: Rc::clone(&socket),
            peer,
        };
        forwarder.take(&bytes[..length], client);
    }
}
