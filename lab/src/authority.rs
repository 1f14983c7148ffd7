//! The CA of one play, and what it signs.

use rcgen::ExtendedKeyUsagePurpose::ServerAuth;
use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, CustomExtension,
    DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose,
};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// The extension that holds a comment, which everybody skips (netscape-comment of OpenSSL's
/// x509v3_config(5)).
const COMMENT: [u64; 7] = [2, 16, 840, 1, 113_730, 1, 13];
/// How long that of a web server is.
const WEB_COMMENT: u16 = 2500;

/// A CA for one play.
#[derive(Debug)]
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key.
pub(crate) struct Issued {
    certificate: Certificate,
    key: KeyPair,
}

impl Issued {
    /// The certificate as PEM.
    pub(crate) fn certificate(&self) -> String {
        self.certificate.pem()
    }

    /// The key as PEM.
    pub(crate) fn key(&self) -> String {
        self.key.serialize_pem()
    }

    /// Both as rustls takes them.
    pub(crate) fn into_der(self) -> (CertificateDer<'static>, PrivateKeyDer<'static>) {
        let key = PrivatePkcs8KeyDer::from(self.key.serialize_der());
        (self.certificate.into(), key.into())
    }
}

impl Authority {
    pub(crate) fn make() -> Result<Self, rcgen::Error> {
        let mut authority = CertificateParams::new(Vec::new())?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        authority.distinguished_name = called("the CA of this play");
        let issuer = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
        Ok(Self { issuer })
    }

    /// The CA's own certificate.
    pub(crate) fn certificate(&self) -> String {
        self.issuer.pem()
    }

    /// The same for who is to trust it.
    pub(crate) fn certificate_der(&self) -> CertificateDer<'static> {
        self.issuer.der().clone()
    }

    /// Signs a certificate for names and addresses, the first of which it is called by.
    pub(crate) fn issue(
        &self,
        names: Vec<String>,
        usages: &[ExtendedKeyUsagePurpose],
    ) -> Result<Issued, rcgen::Error> {
        self.sign(names, usages, Vec::new())
    }

    /// The same for a web server, some 3000 bytes long, as the chains are that those of the internet send:
    /// most of what a handshake says (RFC 8879, 1), and more than one packet takes. So a handshake shows
    /// what a path does with large packets.
    pub(crate) fn issue_for_web(&self, names: Vec<String>) -> Result<Issued, rcgen::Error> {
        let comment = CustomExtension::from_oid_content(&COMMENT, ia5_string(WEB_COMMENT));
        self.sign(names, &[ServerAuth], vec![comment])
    }

    fn sign(
        &self,
        names: Vec<String>,
        usages: &[ExtendedKeyUsagePurpose],
        more: Vec<CustomExtension>,
    ) -> Result<Issued, rcgen::Error> {
        let key = KeyPair::generate()?;
        let name = names.first().map_or("nobody", String::as_str);
        let name = called(name);
        let mut params = CertificateParams::new(names)?;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = usages.to_vec();
        params.custom_extensions = more;
        params.use_authority_key_identifier_extension = true;
        // Another name than the CA's: one that has issued itself is taken for self-signed.
        params.distinguished_name = name;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued { certificate, key })
    }
}

/// An IA5String in DER of this many characters, at least 256.
fn ia5_string(length: u16) -> Vec<u8> {
    let [high, low] = length.to_be_bytes();
    let mut bytes = vec![0x16, 0x82, high, low];
    bytes.resize(bytes.len() + usize::from(length), b'.');
    bytes
}

fn called(name: &str) -> DistinguishedName {
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    distinguished
}
