//! TLS below a question: whom it trusts, whose certificate came, and how a handshake fails.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    AlertDescription, CertificateError, ClientConfig, DigitallySignedStruct, ProtocolVersion,
    RootCertStore, SignatureScheme,
};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use webpki::EndEntityCert;

/// The one CA that a question trusts.
#[derive(Clone, Debug)]
pub struct Trust(Arc<WebPkiServerVerifier>);

/// A CA that nobody can trust.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// Its certificate is none.
    #[error("read the certificate")]
    Certificate(#[source] rustls::Error),
    /// No verifier can be made of it.
    #[error("make a verifier")]
    Verifier(#[source] rustls::client::VerifierBuilderError),
}

impl Trust {
    /// Trusts one CA.
    pub fn new(authority: CertificateDer<'static>) -> Result<Self, TrustError> {
        let mut roots = RootCertStore::empty();
        roots.add(authority).map_err(TrustError::Certificate)?;
        let provider = Arc::new(default_provider());
        let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider);
        verifier.build().map(Self).map_err(TrustError::Verifier)
    }
}

/// A connection whose certificate was right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Secured {
    /// The version of TLS.
    version: Option<ProtocolVersion>,
    /// The names that the certificate is for.
    whose: String,
}

impl fmt::Display for Secured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.version {
            Some(ProtocolVersion::TLSv1_2) => f.write_str("TLS 1.2")?,
            Some(ProtocolVersion::TLSv1_3) => f.write_str("TLS 1.3")?,
            Some(other) => write!(f, "{other:?}")?,
            None => f.write_str("TLS of no version")?,
        }
        write!(f, " with the certificate of {}", self.whose)
    }
}

/// How a handshake failed, though the TCP connection stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TlsFailure {
    /// The certificate is not the one that it has to be.
    Certificate {
        /// The names that it is for.
        whose: String,
        /// What is wrong with it.
        why: String,
    },
    /// The connection was reset.
    Reset,
    /// The connection was closed.
    Closed,
    /// The other end refused, and said why (RFC 8446, 6).
    Alert(AlertDescription),
    /// What came is not TLS, or not as it has to be.
    Other(String),
}

impl TlsFailure {
    /// Whether the connection was ended without a word of TLS.
    pub fn is_cut(&self) -> bool {
        matches!(self, Self::Reset | Self::Closed)
    }
}

impl fmt::Display for TlsFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Certificate { whose, why } => {
                write!(f, "a wrong certificate came, that of {whose}: {why}")
            }
            Self::Reset => f.write_str("the connection was reset in the TLS handshake"),
            Self::Closed => f.write_str("the connection was closed in the TLS handshake"),
            Self::Alert(alert) => write!(f, "the TLS handshake was refused: {alert:?}"),
            Self::Other(what) => write!(f, "the TLS handshake failed: {what}"),
        }
    }
}

/// Shakes hands on a connection that stands.
pub(super) async fn connect(
    stream: TcpStream,
    name: &str,
    trust: &Trust,
) -> io::Result<Result<(TlsStream<TcpStream>, Secured), TlsFailure>> {
    let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let witness = Arc::new(Witness {
        trusted: Arc::clone(&trust.0),
        whose: Mutex::default(),
    });
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::clone(&witness) as Arc<dyn ServerCertVerifier>)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(config));
    match connector.connect(server, stream).await {
        Ok(stream) => {
            let secured = Secured {
                version: stream.get_ref().1.protocol_version(),
                whose: witness.whose(),
            };
            Ok(Ok((stream, secured)))
        }
        Err(error) => failure(error, name, &witness).map(Err),
    }
}

/// What a handshake failed by; given back where it is what the network says of any connection.
fn failure(error: io::Error, name: &str, witness: &Witness) -> io::Result<TlsFailure> {
    let inner = error.get_ref().and_then(|it| it.downcast_ref());
    if let Some(inner) = inner {
        return Ok(match inner {
            rustls::Error::InvalidCertificate(why) => TlsFailure::Certificate {
                whose: witness.whose(),
                why: wrong(why, name),
            },
            rustls::Error::AlertReceived(alert) => TlsFailure::Alert(*alert),
            other => TlsFailure::Other(other.to_string()),
        });
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => Ok(TlsFailure::Reset),
        io::ErrorKind::UnexpectedEof => Ok(TlsFailure::Closed),
        _ => Err(error),
    }
}

fn wrong(why: &CertificateError, name: &str) -> String {
    match why {
        // The second where that CA has the same name, as those of all plays have.
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            "another CA has signed it than that of the play".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("it is not for {name}")
        }
        other => other.to_string(),
    }
}

/// Checks a certificate, and remembers whose it was.
#[derive(Debug)]
struct Witness {
    trusted: Arc<WebPkiServerVerifier>,
    whose: Mutex<Option<String>>,
}

impl Witness {
    fn whose(&self) -> String {
        let whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        whose.clone().unwrap_or_else(|| "nobody".to_owned())
    }
}

/// The names that a certificate is for.
fn names(certificate: &CertificateDer<'_>) -> String {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else {
        return "somebody who cannot be read".to_owned();
    };
    let names: Vec<&str> = certificate.valid_dns_names().collect();
    match names.as_slice() {
        [] => "somebody without a name".to_owned(),
        names => names.join(", "),
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut whose = self.whose.lock().unwrap_or_else(PoisonError::into_inner);
        *whose = Some(names(certificate));
        drop(whose);
        let trusted = &self.trusted;
        trusted.verify_server_cert(certificate, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let trusted = &self.trusted;
        trusted.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let trusted = &self.trusted;
        trusted.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.trusted.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
    use rustls::ServerConfig;
    use socket2::SockRef;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::authority::Authority;

    /// How a handshake with a server ends, which does with a connection whatever it likes.
    async fn shaken<F: Future<Output = ()>>(
        trust: &Trust,
        serve: impl FnOnce(TcpStream) -> F,
    ) -> Result<String, TlsFailure> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        let asking = async { connect(stream.await.unwrap(), "web", trust).await.unwrap() };
        let serving = async { serve(listener.accept().await.unwrap().0).await };
        let (asked, ()) = tokio::join!(asking, serving);
        asked.map(|(_, secured)| secured.to_string())
    }

    async fn served_by(
        authority: &Authority,
        name: &str,
        trust: &Trust,
    ) -> Result<String, TlsFailure> {
        let issued = authority.issue(vec![name.to_owned()], &[ServerAuth]);
        let (certificate, key) = issued.unwrap().into_der();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        shaken(trust, async |stream| drop(acceptor.accept(stream).await)).await
    }

    fn play() -> (Authority, Trust) {
        let authority = Authority::make().unwrap();
        let trust = Trust::new(authority.certificate_der()).unwrap();
        (authority, trust)
    }

    #[tokio::test]
    async fn a_certificate_must_be_for_the_name_and_by_the_ca() {
        let (authority, trust) = play();
        let right = served_by(&authority, "web", &trust).await;
        assert_eq!(right.unwrap(), "TLS 1.3 with the certificate of web");
        let told = |whose: &str, why: &str| TlsFailure::Certificate {
            whose: whose.to_owned(),
            why: why.to_owned(),
        };
        let other_name = served_by(&authority, "portal", &trust).await;
        assert_eq!(other_name, Err(told("portal", "it is not for web")));
        let (stranger, _) = play();
        let other_ca = served_by(&stranger, "web", &trust).await;
        let why = "another CA has signed it than that of the play";
        assert_eq!(other_ca, Err(told("web", why)));
    }

    /// Reads the question first: a connection that is closed with something unread is reset.
    async fn heard(mut stream: TcpStream) -> TcpStream {
        let mut hello = vec![0; 4096];
        assert_ne!(stream.read(&mut hello).await.unwrap(), 0);
        stream
    }

    #[tokio::test]
    async fn the_ends_of_a_handshake_are_told_apart() {
        let (_, trust) = play();
        let reset = shaken(&trust, async |stream| {
            let stream = heard(stream).await;
            SockRef::from(&stream)
                .set_linger(Some(Duration::ZERO))
                .unwrap();
        });
        assert_eq!(reset.await, Err(TlsFailure::Reset));
        let closed = shaken(&trust, async |stream| drop(heard(stream).await));
        assert_eq!(closed.await, Err(TlsFailure::Closed));
        let alert = shaken(&trust, async |stream| {
            // A fatal alert, handshake_failure (RFC 8446, 6).
            let alert = [21, 3, 3, 0, 2, 2, 40];
            heard(stream).await.write_all(&alert).await.unwrap();
        });
        let refused = AlertDescription::HandshakeFailure;
        assert_eq!(alert.await, Err(TlsFailure::Alert(refused)));
        let other = shaken(&trust, async |stream| {
            let page = b"HTTP/1.1 400 Bad Request\r\n\r\n";
            heard(stream).await.write_all(page).await.unwrap();
        });
        assert!(matches!(other.await, Err(TlsFailure::Other(_))));
    }
}
