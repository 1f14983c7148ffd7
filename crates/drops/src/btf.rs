//! The kernel's own description of its types (Documentation/bpf/btf.rst).

use std::collections::HashMap;

use crate::error::{Error, Result};

const MAGIC: u16 = 0xeb9f;
/// `BTF_KIND_…` in linux/btf.h.
const INT: u32 = 1;
const ARRAY: u32 = 3;
const STRUCT: u32 = 4;
const UNION: u32 = 5;
const ENUM: u32 = 6;
const TYPEDEF: u32 = 8;
const VOLATILE: u32 = 9;
const CONST: u32 = 10;
const RESTRICT: u32 = 11;
const FUNC_PROTO: u32 = 13;
const VAR: u32 = 14;
const DATASEC: u32 = 15;
const DECL_TAG: u32 = 17;
const TYPE_TAG: u32 = 18;
const ENUM64: u32 = 19;

/// The types of a kernel.
pub(crate) struct Btf<'a> {
    /// By number, from 1 on; 0 is `void`.
    types: Vec<Type<'a>>,
    strings: &'a [u8],
}

#[derive(Clone, Copy)]
struct Type<'a> {
    name: u32,
    kind: u32,
    /// Whether offsets of members have the width of a bit field in their upper eight bits.
    with_widths: bool,
    /// The type that it refers to; of others its size.
    refers: u32,
    /// What stands behind it: members, values.
    behind: &'a [u8],
}

impl<'a> Btf<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self> {
        let cut = Error::Btf("it is cut off");
        let mut header = Reader(bytes);
        let mut fields = || -> Option<_> {
            let magic = header.half()?;
            header.half()?;
            Some((
                magic,
                [
                    header.word()?,
                    header.word()?,
                    header.word()?,
                    header.word()?,
                    header.word()?,
                ],
            ))
        };
        let Some((magic, [length, types, types_length, strings, strings_length])) = fields() else {
            return Err(cut);
        };
        if magic != MAGIC {
            return Err(Error::Btf("it does not begin as it should"));
        }
        let part = |begin: u32, part: u32| {
            let begin = length.checked_add(begin)? as usize;
            bytes.get(begin..begin.checked_add(part as usize)?)
        };
        let (Some(types), Some(strings)) =
            (part(types, types_length), part(strings, strings_length))
        else {
            return Err(cut);
        };
        Ok(Self {
            types: all(types)?,
            strings,
        })
    }

    /// At which byte of a structure a member is, by a path of members: `nd_net.net`.
    pub(crate) fn offset(&self, structure: &str, path: &str) -> Result<u16> {
        let unknown = || Error::Unknown(format!("{structure}.{path}"));
        let mut within = self.named(STRUCT, structure).ok_or_else(unknown)?;
        let mut bits = 0;
        for name in path.split('.') {
            let (offset, kind) = self.member(within, name, 0).ok_or_else(unknown)?;
            bits += offset;
            within = self.resolved(kind).unwrap_or(within);
        }
        u16::try_from(bits / 8).map_err(|_| unknown())
    }

    /// The values of an enumeration.
    pub(crate) fn values(&self, enumeration: &str) -> Result<HashMap<u32, String>> {
        let unknown = || Error::Unknown(format!("enum {enumeration}"));
        let found = self.named(ENUM, enumeration).ok_or_else(unknown)?;
        let mut behind = Reader(found.behind);
        let mut values = HashMap::new();
        while let (Some(name), Some(value)) = (behind.word(), behind.word()) {
            values.insert(value, self.text(name).to_owned());
        }
        Ok(values)
    }

    fn named(&self, kind: u32, name: &str) -> Option<&Type<'a>> {
        self.types
            .iter()
            .find(|it| it.kind == kind && self.text(it.name) == name)
    }

    /// The offset of a member in bits, and its type. Members of a structure without a name count as those
    /// of what it stands in.
    fn member(&self, within: &Type<'a>, name: &str, depth: u8) -> Option<(u32, u32)> {
        // As the kernel's own verifier has it (`MAX_RESOLVE_DEPTH` in kernel/bpf/btf.c).
        if depth > 32 || !matches!(within.kind, STRUCT | UNION) {
            return None;
        }
        let mut behind = Reader(within.behind);
        while let (Some(named), Some(kind), Some(offset)) =
            (behind.word(), behind.word(), behind.word())
        {
            let offset = if within.with_widths {
                offset & 0x00ff_ffff
            } else {
                offset
            };
            if named != 0 {
                if self.text(named) == name {
                    return Some((offset, kind));
                }
                continue;
            }
            let inner = self
                .resolved(kind)
                .and_then(|it| self.member(it, name, depth + 1));
            if let Some((more, kind)) = inner {
                return Some((offset + more, kind));
            }
        }
        None
    }

    /// A type behind its other names and its qualifiers.
    fn resolved(&self, mut number: u32) -> Option<&Type<'a>> {
        for _ in 0..32 {
            let found = self.types.get((number as usize).checked_sub(1)?)?;
            match found.kind {
                TYPEDEF | VOLATILE | CONST | RESTRICT | TYPE_TAG => number = found.refers,
                _ => return Some(found),
            }
        }
        None
    }

    fn text(&self, offset: u32) -> &'a str {
        let from = self.strings.get(offset as usize..).unwrap_or_default();
        let text = from.split(|byte| *byte == 0).next().unwrap_or_default();
        std::str::from_utf8(text).unwrap_or_default()
    }
}

fn all(bytes: &[u8]) -> Result<Vec<Type<'_>>> {
    let mut reader = Reader(bytes);
    let mut types = Vec::new();
    while !reader.0.is_empty() {
        types.push(
            reader
                .one()
                .ok_or(Error::Btf("a type is cut off, or unknown"))?,
        );
    }
    Ok(types)
}

/// Takes numbers from the front, in the order of this machine's bytes.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (front, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(front)
    }

    fn half(&mut self) -> Option<u16> {
        Some(u16::from_ne_bytes(self.bytes(2)?.try_into().ok()?))
    }

    fn word(&mut self) -> Option<u32> {
        Some(u32::from_ne_bytes(self.bytes(4)?.try_into().ok()?))
    }

    fn one(&mut self) -> Option<Type<'a>> {
        let (name, info, refers) = (self.word()?, self.word()?, self.word()?);
        let (kind, count) = ((info >> 24) & 0x1f, (info & 0xffff) as usize);
        let length = match kind {
            INT | VAR | DECL_TAG => 4,
            ARRAY => 12,
            STRUCT | UNION | DATASEC | ENUM64 => count * 12,
            ENUM | FUNC_PROTO => count * 8,
            1..=19 => 0,
            _ => return None,
        };
        Some(Type {
            name,
            kind,
            with_widths: info >> 31 == 1,
            refers,
            behind: self.bytes(length)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `struct outer { int first; const struct { int: 32; int second; }; }`, and an enumeration.
    fn description() -> Vec<u8> {
        let strings = b"\0outer\0first\0second\0reason\0ONE\0TWO\0";
        let at = |name: &str| {
            let name = [b"\0", name.as_bytes(), b"\0"].concat();
            let mut windows = strings.windows(name.len());
            windows.position(|it| it == name).unwrap() as u32 + 1
        };
        let info = |kind: u32, count: u32| (kind << 24) | count;
        let types: Vec<u32> = [
            // 1: int.
            vec![0, info(INT, 0), 4, 32],
            // 2: the structure without a name, and 3: what is a constant of it.
            vec![0, info(STRUCT, 1), 4, at("second"), 1, 32],
            vec![0, info(CONST, 0), 2],
            // 4: the whole.
            vec![
                at("outer"),
                info(STRUCT, 2),
                12,
                at("first"),
                1,
                0,
                0,
                3,
                32,
            ],
            // 5.
            vec![at("reason"), info(ENUM, 2), 4, at("ONE"), 1, at("TWO"), 2],
        ]
        .concat();
        let mut bytes = MAGIC.to_ne_bytes().to_vec();
        bytes.extend([1, 0]);
        let length = types.len() as u32 * 4;
        for word in [24, 0, length, length, strings.len() as u32] {
            bytes.extend(word.to_ne_bytes());
        }
        bytes.extend(types.iter().flat_map(|word| word.to_ne_bytes()));
        bytes.extend(strings);
        bytes
    }

    #[test]
    fn finds_members_and_values() {
        let bytes = description();
        let btf = Btf::parse(&bytes).unwrap();
        assert_eq!(btf.offset("outer", "first").unwrap(), 0);
        // Behind four bytes of its own, in what stands four bytes behind the begin.
        assert_eq!(btf.offset("outer", "second").unwrap(), 8);
        let values = btf.values("reason").unwrap();
        assert_eq!(values[&2], "TWO");
        for unknown in [btf.offset("outer", "third"), btf.offset("inner", "first")] {
            assert!(matches!(unknown, Err(Error::Unknown(_))), "{unknown:?}");
        }
    }

    #[test]
    fn what_is_cut_off_is_refused() {
        let bytes = description();
        for length in 0..bytes.len() {
            assert!(Btf::parse(&bytes[..length]).is_err(), "{length} bytes");
        }
        let mut unknown = bytes;
        unknown[24 + 7] = 0x1f;
        assert!(Btf::parse(&unknown).is_err(), "a type of an unknown kind");
    }
}
