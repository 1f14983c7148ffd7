//! What answers HTTP/1.1 on a host's ports, in the clear and over TLS.

use std::io;
use std::sync::Arc;

use fps_packet::Nonce;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use super::echo::{listen, serve_streams};
use super::host::Service;
use super::{Lab, LabError};
use crate::sandbox::SocketKind;
use crate::scenario::{self, HostName};

/// The longest head of a request that is read.
const LONGEST_HEAD: usize = 16 * 1024;
/// How many headers a request may have.
const MOST_HEADERS: usize = 64;

/// What a host says.
#[derive(Debug)]
struct Site {
    host: HostName,
    status: u16,
}

/// Answers on the ports, each of them over IPv4 and IPv6, on whatever address is asked.
pub(super) fn serve(
    lab: &Lab,
    name: &HostName,
    plan: &scenario::Host,
) -> Result<Vec<Service>, LabError> {
    let ports = &plan.serve;
    let id = lab.host(name).id;
    let open = |port| {
        let socket = lab.sandbox.socket(id, SocketKind::TcpV6)?;
        listen(socket, port).map_err(|cause| LabError::Serve {
            host: name.clone(),
            port,
            cause,
        })
    };
    let site = Arc::new(Site {
        host: name.clone(),
        status: ports.status,
    });
    let mut services = Vec::new();
    for &port in &ports.http {
        let listener = open(port)?;
        let site = Arc::clone(&site);
        services.push(Service(tokio::spawn(serve_streams(
            move |context| listener.poll_accept(context),
            move |stream, _| answer(stream, Arc::clone(&site)),
        ))));
    }
    if ports.https.is_empty() {
        return Ok(services);
    }
    let acceptor = acceptor(lab, name, plan)?;
    for &port in &ports.https {
        let listener = open(port)?;
        let (site, acceptor) = (Arc::clone(&site), acceptor.clone());
        services.push(Service(tokio::spawn(serve_streams(
            move |context| listener.poll_accept(context),
            move |stream, _| {
                let (site, accept) = (Arc::clone(&site), acceptor.accept(stream));
                async move {
                    // Who does not like the certificate knows it.
                    if let Ok(stream) = accept.await {
                        answer(stream, site).await;
                    }
                }
            },
        ))));
    }
    Ok(services)
}

/// What answers with the host's certificate: it is for its name, for those that the file adds, and for
/// the addresses that the file gives it.
fn acceptor(lab: &Lab, name: &HostName, plan: &scenario::Host) -> Result<TlsAcceptor, LabError> {
    let addresses = plan.links.values().flat_map(|link| &link.addresses);
    let addresses = addresses.map(|address| address.addr().to_string());
    let names = std::iter::once(name.to_string()).chain(plan.serve.names.iter().cloned());
    let authority = lab.authority().map_err(LabError::Authority)?;
    let issued = authority.issue_for_web(names.chain(addresses).collect());
    let issued = issued.map_err(|cause| LabError::Certificate {
        host: name.clone(),
        cause,
    })?;
    let (certificate, key) = issued.into_der();
    let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(|config| {
            config
                .with_no_client_auth()
                .with_single_cert(vec![certificate], key)
        });
    let config = config.map_err(|cause| LabError::Tls {
        host: name.clone(),
        cause,
    })?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// Answers one request after the other. Who breaks the connection off knows it.
async fn answer(stream: impl AsyncRead + AsyncWrite + Unpin, site: Arc<Site>) {
    drop(try_answer(stream, &site).await);
}

async fn try_answer(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    site: &Site,
) -> io::Result<()> {
    let mut bytes = Vec::new();
    loop {
        match site.reply(&bytes) {
            Some(reply) => {
                stream.write_all(reply.text.as_bytes()).await?;
                stream.flush().await?;
                if reply.last {
                    return stream.shutdown().await;
                }
                bytes.drain(..reply.length);
            }
            None => {
                if stream.read_buf(&mut bytes).await? == 0 {
                    return stream.shutdown().await;
                }
            }
        }
    }
}

/// An answer to a request.
#[derive(Debug)]
struct Reply {
    /// The length of the request.
    length: usize,
    text: String,
    /// Whether the connection ends with it.
    last: bool,
}

impl Reply {
    fn refusal(status: u16) -> Self {
        Self {
            length: 0,
            text: format!("HTTP/1.1 {status} \r\nContent-Length: 0\r\nConnection: close\r\n\r\n"),
            last: true,
        }
    }
}

impl Site {
    /// The answer to the request that begins the bytes, once all of its head is there.
    fn reply(&self, bytes: &[u8]) -> Option<Reply> {
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut request = httparse::Request::new(&mut headers);
        let length = match request.parse(bytes) {
            Ok(httparse::Status::Complete(length)) => length,
            Ok(httparse::Status::Partial) if bytes.len() < LONGEST_HEAD => return None,
            Ok(httparse::Status::Partial) => return Some(Reply::refusal(431)),
            Err(_) => return Some(Reply::refusal(400)),
        };
        // Another method may have a body, which nobody reads here.
        if request.method != Some("GET") {
            return Some(Reply::refusal(405));
        }
        let header = |name: &str| {
            let mut headers = request.headers.iter();
            headers.find(|header| header.name.eq_ignore_ascii_case(name))
        };
        let closes = header("Connection").is_some_and(|header| {
            let words = header.value.split(|byte| *byte == b',');
            let mut words = words.map(<[u8]>::trim_ascii);
            words.any(|word| word.eq_ignore_ascii_case(b"close"))
        });
        let last = closes || request.version == Some(0);
        let nonce = header(Nonce::HTTP_HEADER).and_then(|header| Nonce::from_hex(header.value));
        let Self { host, status } = self;
        let mut body = format!("host: {host}\n");
        let mut text = format!("HTTP/1.1 {status} \r\n");
        if let Some(nonce) = nonce {
            text.push_str(&format!("{}: {nonce}\r\n", Nonce::HTTP_HEADER));
            body.push_str(&format!("nonce: {nonce}\n"));
        }
        if last {
            text.push_str("Connection: close\r\n");
        }
        text.push_str(&format!(
            "Content-Type: text/plain\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ));
        Some(Reply { length, text, last })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site() -> Site {
        Site {
            host: HostName::new("web"),
            status: 200,
        }
    }

    #[test]
    fn a_get_is_answered_with_its_nonce_and_the_hosts_name() {
        let nonce = Nonce::random().unwrap();
        let request = format!("GET /x HTTP/1.1\r\nhost: web\r\nx-fps-lab-nonce: {nonce}\r\n\r\n");
        assert!(site().reply(&request.as_bytes()[..30]).is_none());
        let reply = site().reply([&request, "GET"].concat().as_bytes()).unwrap();
        assert_eq!((reply.length, reply.last), (request.len(), false));
        let (head, body) = reply.text.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200 \r\n"), "{head}");
        assert_eq!(Nonce::find_in_http(reply.text.as_bytes()), Some(nonce));
        assert!(head.ends_with(&format!("Content-Length: {}", body.len())));
        assert_eq!(body, format!("host: web\nnonce: {nonce}\n"));
    }

    #[test]
    fn what_is_no_get_is_refused_and_ends_the_connection() {
        for (request, status) in [
            ("POST / HTTP/1.1\r\n\r\n", 405),
            ("\x16\x03\x01\x02", 400),
            (&format!("GET /{}", "x".repeat(LONGEST_HEAD)), 431),
        ] {
            let reply = site().reply(request.as_bytes()).unwrap();
            assert!(reply.text.starts_with(&format!("HTTP/1.1 {status} ")));
            assert!(reply.last);
        }
    }

    #[test]
    fn the_connection_ends_where_the_client_wants_it() {
        let ends = |request: &str| site().reply(request.as_bytes()).unwrap().last;
        assert!(ends("GET / HTTP/1.0\r\n\r\n"));
        assert!(ends("GET / HTTP/1.1\r\nConnection: x, Close\r\n\r\n"));
        assert!(!ends("GET / HTTP/1.1\r\nConnection: keep-alive\r\n\r\n"));
    }
}
