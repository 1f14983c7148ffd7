//! A GET of HTTP/1.1, in the clear or over TLS, and the page that comes.

use std::fmt;
use std::io;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Mutex, PoisonError};

use fps_packet::Nonce;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpSocket;

use super::tls::{self, Secured, TlsFailure, Trust};
use crate::scenario::Get;

/// The most that is read of an answer: the lab's own are far shorter.
const LONGEST: usize = 256 * 1024;
/// How many headers an answer may have.
const MOST_HEADERS: usize = 64;

/// What a question waits for, once its connection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The other end's part of the TLS handshake.
    Handshake,
    /// The page, or the rest of it.
    Page,
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Handshake => "the TLS handshake got stuck",
            Self::Page => "no whole page came",
        })
    }
}

/// How far a question has come; nowhere before its connection stands.
#[derive(Debug, Default)]
pub(super) struct Progress(Mutex<Option<Phase>>);

impl Progress {
    fn reach(&self, phase: Phase) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(phase);
    }

    /// What it waits for.
    pub(super) fn get(&self) -> Option<Phase> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What answered a GET.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// Its status (RFC 9110, 15).
    pub status: u16,
    /// Whether the nonce of the question is in it.
    pub known: bool,
    /// The host that says to have written it.
    pub by: Option<String>,
    /// The TLS that it came by.
    pub secured: Option<Secured>,
}

impl Page {
    /// Whether it is what the question must be answered with.
    pub(super) fn is_wanted(&self, get: &Get) -> bool {
        self.known && self.status == get.status
    }
}

impl fmt::Display for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HTTP {}", self.status)?;
        match &self.by {
            Some(by) => write!(f, " by {by}")?,
            None => f.write_str(" by nobody that the lab knows")?,
        }
        if !self.known {
            f.write_str(" without the nonce")?;
        }
        match &self.secured {
            Some(secured) => write!(f, ", {secured}"),
            None => Ok(()),
        }
    }
}

/// Asks, and reads the page. `progress` tells how far it has come when nobody waits any more.
pub(super) async fn ask(
    socket: TcpSocket,
    to: SocketAddr,
    (get, nonce): (&Get, Nonce),
    trust: Option<&Trust>,
    progress: &Progress,
) -> io::Result<Result<Page, TlsFailure>> {
    let stream = socket.connect(to).await?;
    let request = request(get, nonce);
    let Some(trust) = trust else {
        progress.reach(Phase::Page);
        return Ok(Ok(exchange(stream, &request, nonce).await?));
    };
    progress.reach(Phase::Handshake);
    let (stream, secured) = match tls::connect(stream, &get.name, trust).await? {
        Ok(connected) => connected,
        Err(failure) => return Ok(Err(failure)),
    };
    progress.reach(Phase::Page);
    let page = exchange(stream, &request, nonce).await?;
    Ok(Ok(Page {
        secured: Some(secured),
        ..page
    }))
}

/// The nonce comes first, so that a capture finds it in the first packet.
fn request(get: &Get, nonce: Nonce) -> String {
    let Get {
        tls,
        port,
        path,
        name,
        ..
    } = get;
    let name = match name.parse::<Ipv6Addr>() {
        Ok(ip) => format!("[{ip}]"),
        Err(_) => name.clone(),
    };
    let usual = if *tls { 443 } else { 80 };
    let host = match *port == usual {
        true => name,
        false => format!("{name}:{port}"),
    };
    let header = Nonce::HTTP_HEADER;
    format!(
        "GET {path} HTTP/1.1\r\n{header}: {nonce}\r\nHost: {host}\r\nUser-Agent: fps-lab\r\n\r\n"
    )
}

async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &str,
    nonce: Nonce,
) -> io::Result<Page> {
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut bytes = Vec::new();
    let page = loop {
        let ended = stream.read_buf(&mut bytes).await? == 0;
        if let Some(page) = page(&bytes, ended, nonce)? {
            break page;
        }
        if ended {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if bytes.len() > LONGEST {
            return Err(io::ErrorKind::InvalidData.into());
        }
    };
    // Whoever closes first leaves nothing unread behind, so that no reset follows. The page is there,
    // whatever becomes of the end of its connection.
    drop(stream.shutdown().await);
    Ok(page)
}

/// The page that the bytes are, once all of it is there.
fn page(bytes: &[u8], ended: bool, nonce: Nonce) -> io::Result<Option<Page>> {
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let head = match response.parse(bytes) {
        Ok(httparse::Status::Complete(head)) => head,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(_) => return Err(io::ErrorKind::InvalidData.into()),
    };
    let body = &bytes[head..];
    let mut headers = response.headers.iter();
    let length = headers.find(|header| header.name.eq_ignore_ascii_case("Content-Length"));
    let length = length.and_then(|header| str::from_utf8(header.value).ok()?.parse().ok());
    // Without a length it goes on to the end of the connection (RFC 9112, 6.3).
    let body = match length {
        Some(length) => match body.get(..length) {
            Some(body) => body,
            None => return Ok(None),
        },
        None if ended => body,
        None => return Ok(None),
    };
    let body = String::from_utf8_lossy(body);
    let line = |key: &str| {
        let mut lines = body.lines();
        lines.find_map(|line| line.strip_prefix(key)?.strip_prefix(": "))
    };
    let known = line("nonce").and_then(|nonce| Nonce::from_hex(nonce.as_bytes()));
    Ok(Some(Page {
        status: response.code.unwrap_or_default(),
        known: known == Some(nonce),
        by: line("host").map(str::to_owned),
        secured: None,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn get(name: &str, port: u16, tls: bool) -> Get {
        Get {
            tls,
            port,
            path: "/x".to_owned(),
            name: name.to_owned(),
            status: 200,
        }
    }

    #[test]
    fn a_request_names_its_server_as_browsers_do() {
        let nonce = Nonce::random().unwrap();
        let host = |get: &Get| {
            let request = request(get, nonce);
            assert_eq!(Nonce::find_in_http(request.as_bytes()), Some(nonce));
            let host = request.lines().find_map(|line| line.strip_prefix("Host: "));
            host.unwrap().to_owned()
        };
        assert_eq!(host(&get("web", 80, false)), "web");
        assert_eq!(host(&get("web", 443, true)), "web");
        assert_eq!(host(&get("web", 80, true)), "web:80");
        assert_eq!(host(&get("2001:db8::1", 8080, false)), "[2001:db8::1]:8080");
    }

    #[test]
    fn a_page_is_read_when_all_of_it_is_there() {
        let nonce = Nonce::random().unwrap();
        let body = format!("host: web\nnonce: {nonce}\n");
        let head = format!("HTTP/1.1 511 \r\ncontent-length: {}\r\n\r\n", body.len());
        let whole = [head, body].concat();
        let cut = &whole.as_bytes()[..whole.len() - 1];
        assert_eq!(page(cut, false, nonce).unwrap(), None);
        let seen = page(whole.as_bytes(), false, nonce).unwrap().unwrap();
        assert_eq!(seen.to_string(), "HTTP 511 by web");
        assert!(!seen.is_wanted(&get("web", 80, false)));
        let other = Nonce::random().unwrap();
        let seen = page(whole.as_bytes(), false, other).unwrap().unwrap();
        assert!(!seen.known);
    }

    #[test]
    fn a_page_without_a_length_ends_with_its_connection() {
        let nonce = Nonce::random().unwrap();
        let bytes = b"HTTP/1.0 200 OK\r\n\r\nhello";
        assert_eq!(page(bytes, false, nonce).unwrap(), None);
        let seen = page(bytes, true, nonce).unwrap().unwrap();
        assert_eq!((seen.status, seen.known, seen.by), (200, false, None));
        assert!(page(b"SSH-2.0-x\r\n", false, nonce).is_err());
    }
}
