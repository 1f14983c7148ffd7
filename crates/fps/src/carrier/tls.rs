//! Certificates, and the TLS configurations made of them.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::args::OriginArgs;

/// TLS cannot be set up.
#[derive(Debug, thiserror::Error)]
pub(super) enum TlsError {
    #[error("cannot read {}: it must be PEM", .0.display())]
    Pem(PathBuf, #[source] rustls::pki_types::pem::Error),
    #[error("cannot write {}: check its folder", .0.display())]
    Write(PathBuf, #[source] io::Error),
    #[error("cannot make a certificate for `{0}`: give a DNS name or an address")]
    SelfSigned(String, #[source] rcgen::Error),
    #[error("cannot use the certificate: check that certificate and key belong together")]
    Config(#[from] rustls::Error),
}

type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

/// The origin's side.
pub(super) fn server(args: &OriginArgs) -> Result<Arc<ServerConfig>, TlsError> {
    let (chain, key) = match (&args.cert, &args.key, &args.self_signed) {
        (Some(cert), Some(key), _) => (read_chain(cert)?, read_key(key)?),
        (_, _, name) => self_signed(name.as_deref(), args.cert_out.as_deref())?,
    };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    Ok(Arc::new(config))
}

/// The application's side.
pub(super) fn client(ca_file: &Path) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in read_chain(ca_file)? {
        roots.add(certificate)?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let failed = |source| TlsError::Pem(path.to_owned(), source);
    let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path)
        .map_err(failed)?
        .collect();
    match chain.map_err(failed)? {
        chain if chain.is_empty() => Err(failed(rustls::pki_types::pem::Error::NoItemsFound)),
        chain => Ok(chain),
    }
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_file(path).map_err(|source| TlsError::Pem(path.to_owned(), source))
}

fn self_signed(name: Option<&str>, out: Option<&Path>) -> Result<Identity, TlsError> {
    let name = name.unwrap_or("carrier.example.net");
    let made = rcgen::generate_simple_self_signed([name.to_owned()])
        .map_err(|source| TlsError::SelfSigned(name.to_owned(), source))?;
    if let Some(path) = out {
        fs::write(path, made.cert.pem())
            .map_err(|source| TlsError::Write(path.to_owned(), source))?;
    }
    let key = PrivatePkcs8KeyDer::from(made.signing_key.serialize_der());
    Ok((vec![made.cert.der().clone()], key.into()))
}
