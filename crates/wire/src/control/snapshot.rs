//! What a server with a shaper has seen of the application's records, so that the client's look alike.

use super::{InvalidMessage, MESSAGE_VERSION};

const TYPE: u8 = 3;
/// All of it, in millionths.
const WHOLE: u32 = 1_000_000;
/// The most steps of a distribution.
const STEPS: usize = 256;

/// How the records of a session are distributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShaperSnapshot {
    /// The profile that this is of: at most 255 bytes.
    pub profile_id: String,
    /// The client's direction.
    pub to_server: DirectionShape,
    /// The server's.
    pub to_client: DirectionShape,
}

/// How the records of one direction are distributed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectionShape {
    /// How many were seen.
    pub observed: u64,
    /// Their sizes, in bytes.
    pub sizes: Distribution,
    /// The time between two, in microseconds.
    pub delays: Distribution,
}

/// A cumulative distribution: up to this bound, so many millionths; from 1 to 256 steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distribution(pub Vec<(u32, u32)>);

/// A snapshot that the wire has no form for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a profile id of more than 255 bytes, or a distribution without 1 to 256 steps of 1 and more"
)]
pub struct UnencodableSnapshot;

impl ShaperSnapshot {
    /// As bytes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, UnencodableSnapshot> {
        let mut bytes = vec![TYPE, MESSAGE_VERSION];
        let length = self.profile_id.len();
        bytes.push(u8::try_from(length).map_err(|_| UnencodableSnapshot)?);
        bytes.extend(self.profile_id.as_bytes());
        for shape in [&self.to_server, &self.to_client] {
            bytes.extend(shape.observed.to_be_bytes());
            for distribution in [&shape.sizes, &shape.delays] {
                if !distribution.is_valid() {
                    return Err(UnencodableSnapshot);
                }
                distribution.put(&mut bytes);
            }
        }
        Ok(bytes)
    }

    /// Reads one.
    pub fn read(bytes: &[u8]) -> Result<Self, InvalidMessage> {
        let bad = InvalidMessage::Payload;
        let mut rest = match bytes {
            [TYPE, MESSAGE_VERSION, rest @ ..] => Reader(rest),
            [TYPE, _, ..] => return Err(InvalidMessage::Version),
            _ => return Err(bad),
        };
        let length = rest.take::<1>().ok_or(bad)?[0];
        let profile_id = rest.take_some(length.into()).ok_or(bad)?;
        let profile_id = String::from_utf8(profile_id.to_vec()).map_err(|_| bad)?;
        let snapshot = Self {
            profile_id,
            to_server: DirectionShape::read(&mut rest).ok_or(bad)?,
            to_client: DirectionShape::read(&mut rest).ok_or(bad)?,
        };
        rest.0.is_empty().then_some(snapshot).ok_or(bad)
    }
}

impl DirectionShape {
    fn read(from: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            observed: u64::from_be_bytes(from.take()?),
            sizes: Distribution::read(from)?,
            delays: Distribution::read(from)?,
        })
    }
}

impl Distribution {
    fn is_valid(&self) -> bool {
        let step = |(bound, probability): &(u32, u32)| *bound > 0 && *probability <= WHOLE;
        (1..=STEPS).contains(&self.0.len()) && self.0.iter().all(step)
    }

    fn put(&self, out: &mut Vec<u8>) {
        let count = u16::try_from(self.0.len()).expect("checked");
        out.extend(count.to_be_bytes());
        for (bound, probability) in &self.0 {
            out.extend(bound.to_be_bytes());
            out.extend(probability.to_be_bytes());
        }
    }

    fn read(from: &mut Reader<'_>) -> Option<Self> {
        let count = u16::from_be_bytes(from.take()?);
        let step = |_| Some((from.number()?, from.number()?));
        // There cannot be more than are allowed, whatever it says.
        let steps = (0..usize::from(count).min(STEPS + 1)).map(step);
        let steps = Self(steps.collect::<Option<_>>()?);
        steps.is_valid().then_some(steps)
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn take_some(&mut self, length: usize) -> Option<&'a [u8]> {
        let (some, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(some)
    }

    fn number(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }
}
