//! Seals whatever it is given, well formed or not, as somebody does who has the keys.
//!
//! It is written from docs/wire.md, and shares no code with what it tests: so a record of ours that both
//! make alike is one more witness for either.

use fps_wire::{Binding, PublicKey, Transcript};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use x25519_dalek::StaticSecret;

use crate::world::{self, WORLD};

/// Which of the three kinds of records of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The client's first.
    Auth,
    /// The server's first.
    Accept,
    /// All others.
    Frames,
}

impl Kind {
    /// The labels of the server's hint, of the client's, of what is authenticated.
    fn labels(self) -> [&'static str; 3] {
        match self {
            Self::Auth => [
                "fps/zero-rtt/client-auth/server-hint/v5",
                "fps/zero-rtt/client-auth/client-hint/v5",
                "fps/zero-rtt/client-auth/capsule/v5",
            ],
            Self::Accept => [
                "fps/zero-rtt/server-accept/server-hint/v5",
                "fps/zero-rtt/server-accept/client-hint/v5",
                "fps/zero-rtt/server-accept/capsule/v5",
            ],
            Self::Frames => [
                "fps/classified-record/server-hint/v5",
                "fps/classified-record/client-hint/v5",
                "fps/classified-record/aead/v5",
            ],
        }
    }

    /// Both hints at a moment, given as the bytes that stand behind the keys.
    pub fn hints(self, moment: &[u8]) -> Vec<u8> {
        let pair = WORLD.client.pair();
        let [server, client, _] = self.labels();
        let of = |label: &str, client: &[u8; 32]| {
            let parts = [label.as_bytes(), client, pair.server.as_bytes(), moment];
            sha256(&parts)[..8].to_vec()
        };
        [of(server, &[0; 32]), of(client, pair.client.as_bytes())].concat()
    }
}

/// A direction at a sequence, as a record of frames is bound to it.
pub fn moment(sequence: u64, before: &Transcript, to_client: bool) -> Vec<u8> {
    let mut bytes = sequence.to_be_bytes().to_vec();
    bytes.push(to_client.into());
    bytes.extend(before.index().to_be_bytes());
    bytes.extend(before.bytes().to_be_bytes());
    bytes.extend(before.hash());
    bytes.extend([0, u8::try_from(world::PROFILE.len()).expect("short")]);
    bytes.extend(world::PROFILE.as_bytes());
    bytes
}

/// A record of frames around any bytes, with these 36 of key and salt; nothing where it is too long.
pub fn frames(key: &[u8], sequence: u64, moment: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let pair = WORLD.client.pair();
    let hints = Kind::Frames.hints(moment);
    let length = u32::try_from(hints.len() + text.len() + 16).ok()?;
    let aad = [
        Kind::Frames.labels()[2].as_bytes(),
        pair.client.as_bytes(),
        pair.server.as_bytes(),
        moment,
        &hints,
        &length.to_be_bytes(),
    ]
    .concat();
    world::record(&[hints, seal(key, sequence, &aad, text)].concat())
}

/// An auth around any bytes.
pub fn auth(binding: &Binding, text: &[u8]) -> Option<Vec<u8>> {
    let agreed = agree(world::CLIENT, WORLD.server.public()).expect("no low order");
    let label = "fps/zero-rtt/client-auth-aead/v5";
    capsule(Kind::Auth, label, binding, &agreed, &[], text)
}

/// An accept around any bytes, that answers an auth by its payload on the wire.
pub fn accept(binding: &Binding, answers: &[u8], text: &[u8]) -> Option<Vec<u8>> {
    let server = WORLD.server.public();
    let of = |private| agree(private, server).expect("no low order");
    let agreed = [of(world::CLIENT), of(world::CLIENT_EPHEMERAL)].concat();
    let label = "fps/zero-rtt/server-accept-aead/v5";
    capsule(Kind::Accept, label, binding, &agreed, answers, text)
}

fn capsule(
    kind: Kind,
    label: &str,
    binding: &Binding,
    agreed: &[u8],
    answers: &[u8],
    text: &[u8],
) -> Option<Vec<u8>> {
    let pair = WORLD.client.pair();
    let binding = binding.as_bytes();
    let hints = kind.hints(binding);
    let info = [
        label.as_bytes(),
        pair.client.as_bytes(),
        pair.server.as_bytes(),
        binding,
        &hints,
        answers,
    ];
    let aad = [kind.labels()[2].as_bytes(), &hints, binding].concat();
    let sealed = seal(&derive(agreed, binding, &info), 0, &aad, text);
    world::record(&[hints, sealed].concat())
}

/// What two keys agree on; nothing where the public one is of low order.
pub fn agree(private: [u8; 32], public: PublicKey) -> Option<[u8; 32]> {
    let public = x25519_dalek::PublicKey::from(*public.as_bytes());
    let agreed = StaticSecret::from(private).diffie_hellman(&public);
    agreed.was_contributory().then(|| agreed.to_bytes())
}

fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().try_into().expect("32 bytes")
}

struct KeyAndSalt;

impl KeyType for KeyAndSalt {
    fn len(&self) -> usize {
        36
    }
}

fn derive(secret: &[u8], salt: &[u8], info: &[&[u8]]) -> [u8; 36] {
    let mut bytes = [0; 36];
    let extracted = Salt::new(HKDF_SHA256, salt).extract(secret);
    let expanded = extracted.expand(info, KeyAndSalt).expect("short");
    expanded.fill(&mut bytes).expect("36 bytes");
    bytes
}

/// Sealed bytes, and their tag.
fn seal(key: &[u8], number: u64, aad: &[u8], text: &[u8]) -> Vec<u8> {
    let (key, salt) = key.split_at(32);
    let key = LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("32 bytes"));
    let nonce = [salt, &number.to_be_bytes()].concat();
    let nonce = Nonce::try_assume_unique_for_key(&nonce).expect("12 bytes");
    let mut sealed = text.to_vec();
    key.seal_in_place_append_tag(nonce, Aad::from(aad), &mut sealed)
        .expect("short");
    sealed
}
