//! FPS wire version 5: what goes over the link between `fps_client` and `fps_server`.
//!
//! Bytes in, bytes out: there are no sockets here, no clock, and no randomness. Whoever calls hands the
//! ephemeral keys in, and carries the bytes.
//!
//! An application's TLS session runs over the link, record by record. Each direction keeps a
//! [`Transcript`] of all its records. Once application data has gone both ways, the client puts an
//! [auth](auth) record among them, which only the owner of the server's key can tell from application
//! data; the server answers with an [accept](accept), and from then on both put
//! [classified](classified) records of [frames](Frame) among those of the application. All of them are
//! bound to the transcripts, so that none can be moved, repeated or put into another session.
//!
//! - Who: [`ClientUuid`], [`PrivateKey`], [`PublicKey`], [`Pair`].
//! - What goes by: [`RecordParser`], [`Transcript`], [`Link`].
//! - How a session begins: [`auth`], [`accept`], [`SessionKeys`].
//! - What it carries: [`classified`], [`fragment`], [`control`].
//! - What two of ours do beyond it: [`extension`].
//! - How a client comes by its settings: [`profile`].

pub mod accept;
pub mod auth;
pub mod base64;
mod capsule;
pub mod classified;
pub mod control;
mod crypto;
mod direction;
pub mod extension;
pub mod fragment;
mod hint;
mod identity;
mod key;
mod link;
pub mod profile;
mod record;
mod session_keys;
mod transcript;

pub use capsule::Refusal;
pub use classified::{Frame, FrameKind};
pub use direction::Direction;
pub use identity::{ClientUuid, InvalidUuid};
pub use key::{Pair, PrivateKey, PublicKey};
pub use link::{Binding, Link};
pub use record::{APPLICATION_DATA, HEADER_LEN, MAX_PAYLOAD, Record, RecordParser};
pub use session_keys::{DirectionKey, SessionKeys};
pub use transcript::{ProfileId, ProfileIdTooLong, Transcript};

/// The version of the wire.
pub const VERSION: u16 = 5;
