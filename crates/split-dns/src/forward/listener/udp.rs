//! Questions by UDP.

use std::io;
use std::rc::Rc;

use super::super::client::Client;
use super::super::forwarder::Forwarder;
use super::Datagrams;

/// The longest question; a longer one is cut, and malformed.
const LONGEST: usize = 4096;

/// Takes each question until the socket fails.
pub(super) async fn serve(socket: Rc<Datagrams>, forwarder: Rc<Forwarder>) -> io::Error {
    let mut bytes = vec![0; LONGEST];
    loop {
        let (length, peer, local) = match socket.receive(&mut bytes).await {
            Ok(received) => received,
            Err(error) => return error,
        };
        let client = Client::Udp {
            socket: Rc::clone(&socket),
            peer,
            local,
        };
        forwarder.take(&bytes[..length], client);
    }
}
