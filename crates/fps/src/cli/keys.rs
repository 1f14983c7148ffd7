//! New keys and identities.

use fps_wire::base64;
use serde_json::json;

use super::CommandError;
use crate::random;

fn is_json(format: Option<&str>) -> Result<bool, CommandError> {
    match format {
        None | Some("text") => Ok(false),
        Some("json") => Ok(true),
        Some(other) => Err(CommandError::Format(other.to_owned(), "text, json")),
    }
}

/// A server's keys, as they stand in a configuration.
pub(super) fn server(format: Option<&str>) -> Result<String, CommandError> {
    let json = is_json(format)?;
    let key = random::private_key()?;
    let private = base64::encode(&*key.to_bytes());
    let public = key.public().to_base64();
    Ok(match json {
        true => json!({
            "server_private_key_base64": private,
            "server_public_key_base64": public,
        })
        .to_string(),
        false => {
            format!("server_private_key_base64={private}\nserver_public_key_base64={public}")
        }
    })
}

/// A client's identity.
pub(super) fn client(format: Option<&str>) -> Result<String, CommandError> {
    let json = is_json(format)?;
    let uuid = random::client_uuid()?;
    Ok(match json {
        true => json!({ "client_uuid": *uuid.to_text() }).to_string(),
        false => uuid.to_text().to_string(),
    })
}
