//! As much HTTP/1.1 as the origin speaks.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt};

/// A request's head that is longer is no browser's.
const LONGEST_HEAD: usize = 16 << 10;
const END: &[u8] = b"\r\n\r\n";

/// The one path that speaks WebSocket.
pub(super) const WEBSOCKET: &str = "/fps-carrier";
/// The head of an answer that ends with its connection.
pub(super) const STREAM_HEAD: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\
    Cache-Control: no-store\r\nConnection: close\r\n\r\n";

/// What the origin has at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resource {
    /// The WebSocket echo.
    WebSocket,
    /// An answer without end.
    Stream,
    /// A page that opens a WebSocket.
    Page,
    /// Any other path.
    Tiny,
}

/// The head of a request, with the empty line that ends it.
#[derive(Debug)]
pub(super) struct Head(pub(super) Vec<u8>);

impl Head {
    /// Reads the next head of a connection; none where it has ended. What comes behind the head
    /// stays in `pending`.
    pub(super) async fn read(
        reader: &mut (impl AsyncRead + Unpin),
        pending: &mut Vec<u8>,
    ) -> io::Result<Option<Self>> {
        loop {
            if let Some(at) = pending.windows(END.len()).position(|bytes| bytes == END) {
                let rest = pending.split_off(at + END.len());
                return Ok(Some(Self(std::mem::replace(pending, rest))));
            }
            if pending.len() > LONGEST_HEAD {
                return Err(io::Error::other("the request's head is too long"));
            }
            if reader.read_buf(pending).await? == 0 {
                return match pending.is_empty() {
                    true => Ok(None),
                    false => Err(io::ErrorKind::UnexpectedEof.into()),
                };
            }
        }
    }

    /// What is asked for.
    pub(super) fn resource(&self) -> Resource {
        let text = String::from_utf8_lossy(&self.0);
        match text.split(' ').nth(1) {
            Some(WEBSOCKET) => Resource::WebSocket,
            Some("/stream") => Resource::Stream,
            Some("/") => Resource::Page,
            _ => Resource::Tiny,
        }
    }

    /// Whether another request may follow on the same connection (RFC 9112, section 9.3).
    pub(super) fn keeps_alive(&self) -> bool {
        let text = String::from_utf8_lossy(&self.0).to_ascii_lowercase();
        let mut lines = text.split("\r\n");
        let is_recent = lines.next().is_some_and(|line| line.ends_with("http/1.1"));
        let closes = lines
            .filter_map(|line| line.split_once(':'))
            .any(|(name, value)| name == "connection" && value.contains("close"));
        is_recent && !closes
    }
}

/// A whole answer, of known length.
pub(super) fn answer(resource: Resource, keeps_alive: bool) -> Vec<u8> {
    let (kind, body) = match resource {
        Resource::Page => ("text/html; charset=utf-8", include_str!("page.html")),
        _ => ("text/plain", "ok\n"),
    };
    let connection = if keeps_alive { "keep-alive" } else { "close" };
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Connection: {connection}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(text: &str) -> Head {
        Head(text.as_bytes().to_vec())
    }

    #[tokio::test]
    async fn heads_follow_each_other_on_one_connection() {
        let mut bytes = &b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /stream HTTP/1.1\r\n\r\n"[..];
        let mut pending = Vec::new();
        let mut next = async || Head::read(&mut bytes, &mut pending).await.unwrap();
        assert_eq!(next().await.unwrap().resource(), Resource::Page);
        assert_eq!(next().await.unwrap().resource(), Resource::Stream);
        assert!(next().await.is_none());
    }

    #[tokio::test]
    async fn half_a_head_is_an_error() {
        let mut bytes = &b"GET / HTTP/1.1\r\n"[..];
        let error = Head::read(&mut bytes, &mut Vec::new()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn a_connection_stays_unless_the_request_is_old_or_says_close() {
        assert!(head("GET / HTTP/1.1\r\nHost: a\r\n\r\n").keeps_alive());
        assert!(!head("GET / HTTP/1.0\r\n\r\n").keeps_alive());
        assert!(!head("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").keeps_alive());
    }

    #[test]
    fn an_answer_says_how_long_it_is() {
        let answer = String::from_utf8(answer(Resource::Page, true)).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("Content-Length: {}", body.len())));
        assert!(body.contains("This page is the origin's."));
    }
}
