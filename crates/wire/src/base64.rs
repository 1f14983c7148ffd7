//! Base64, as keys and profiles are written: strict, but for bits of the last group that stand for
//! nothing, which may be anything.

use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use ::base64::{DecodeError, Engine};

const PADDED: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

const UNPADDED_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// It is no base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBase64 {
    /// Nothing at all.
    #[error("it is empty")]
    Empty,
    /// A character that is not of the alphabet.
    #[error("it contains an invalid character")]
    Character,
    /// It ends too early, or is not padded as it has to be.
    #[error("its length or padding is wrong")]
    Length,
}

/// Writes bytes as padded base64 (RFC 4648, 4).
pub fn encode(bytes: &[u8]) -> String {
    PADDED.encode(bytes)
}

/// Reads padded base64.
pub fn decode(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    read(&PADDED, text)
}

/// Writes bytes as base64url without padding (RFC 4648, 5).
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    UNPADDED_URL.encode(bytes)
}

/// Reads base64url without padding.
pub(crate) fn decode_url(text: &str) -> Result<Vec<u8>, InvalidBase64> {
    read(&UNPADDED_URL, text)
}

fn read(engine: &GeneralPurpose, text: &str) -> Result<Vec<u8>, InvalidBase64> {
    if text.is_empty() {
        return Err(InvalidBase64::Empty);
    }
    engine.decode(text).map_err(|error| match error {
        DecodeError::InvalidByte(..) | DecodeError::InvalidLastSymbol { .. } => {
            InvalidBase64::Character
        }
        DecodeError::InvalidLength(_) | DecodeError::InvalidPadding => InvalidBase64::Length,
    })
}
