//! A client's settings in one line: `fps://v1/` and its JSON as base64url.

use serde_json::{Map, Value};

use crate::base64::{self, InvalidBase64};
use crate::{ClientUuid, InvalidUuid};

const SCHEME: &str = "fps://v1/";

/// What a client must not be given: with these it would be the server.
const SERVERS_OWN: [&str; 3] = [
    "server_private_key_base64",
    "allowed_client_uuids",
    "allowed_client_public_keys",
];

/// A URI that is no profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProfile {
    /// It begins otherwise.
    #[error("expected fps://v1/<payload>")]
    Scheme,
    /// There is nothing in it.
    #[error("empty payload")]
    Empty,
    /// It is no base64url.
    #[error("the payload is no base64url without padding: {0}")]
    Base64(InvalidBase64),
    /// It is no JSON.
    #[error("the payload is no JSON")]
    Json,
    /// Something is missing.
    #[error("missing {0}")]
    Missing(&'static str),
    /// Something is of another type.
    #[error("{0} must be {1}")]
    Type(&'static str, &'static str),
    /// The client's identity is none.
    #[error("security.zero_rtt.client_uuid is {0}")]
    Uuid(InvalidUuid),
    /// The server's key is no base64.
    #[error("security.zero_rtt.server_public_key_base64: {0}")]
    KeyBase64(InvalidBase64),
    /// The server's key is not as long as a key.
    #[error("security.zero_rtt.server_public_key_base64 must decode to 32 bytes")]
    KeyLength,
    /// It has something that only the server may have.
    #[error("a client profile must not contain security.zero_rtt.{0}")]
    ServersOwn(&'static str),
}

/// The URI of a client's JSON, byte for byte.
pub fn to_uri(json: &str) -> String {
    format!("{SCHEME}{}", base64::encode_url(json.as_bytes()))
}

/// The JSON of a URI. What a client cannot do without is looked at, and that it has nothing that is
/// the server's alone.
pub fn from_uri(uri: &str) -> Result<Value, InvalidProfile> {
    let payload = uri.strip_prefix(SCHEME).ok_or(InvalidProfile::Scheme)?;
    if payload.is_empty() {
        return Err(InvalidProfile::Empty);
    }
    let json = base64::decode_url(payload).map_err(InvalidProfile::Base64)?;
    let value: Value = serde_json::from_slice(&json).map_err(|_| InvalidProfile::Json)?;
    check(&value)?;
    Ok(value)
}

fn check(profile: &Value) -> Result<(), InvalidProfile> {
    let object = |value: &Value, name| match value {
        Value::Object(object) => Ok(object.clone()),
        _ => Err(InvalidProfile::Type(name, "a JSON object")),
    };
    let root = object(profile, "the payload's root")?;
    let security = "security";
    let security = object(member(&root, security, security)?, security)?;
    let name = "security.zero_rtt";
    let zero_rtt = object(member(&security, "zero_rtt", name)?, name)?;
    if let Some(own) = SERVERS_OWN
        .into_iter()
        .find(|own| zero_rtt.contains_key(*own))
    {
        return Err(InvalidProfile::ServersOwn(own));
    }
    let uuid = text(&zero_rtt, "client_uuid", "security.zero_rtt.client_uuid")?;
    uuid.parse::<ClientUuid>().map_err(InvalidProfile::Uuid)?;
    let name = "security.zero_rtt.server_public_key_base64";
    let key = text(&zero_rtt, "server_public_key_base64", name)?;
    let key = base64::decode(key).map_err(InvalidProfile::KeyBase64)?;
    match key.len() {
        32 => Ok(()),
        _ => Err(InvalidProfile::KeyLength),
    }
}

fn member<'a>(
    of: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a Value, InvalidProfile> {
    of.get(key).ok_or(InvalidProfile::Missing(name))
}

fn text<'a>(
    of: &'a Map<String, Value>,
    key: &str,
    name: &'static str,
) -> Result<&'a str, InvalidProfile> {
    let value = member(of, key, name)?;
    value.as_str().ok_or(InvalidProfile::Type(name, "a string"))
}
