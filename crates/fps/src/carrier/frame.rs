//! The frames: any of them can be told from its number alone, so an echo that is late, lost,
//! repeated or damaged does not go unnoticed.

/// The frame with this number: `number u64 || pattern`, `length` bytes but at least the number.
pub(super) fn frame(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = number.to_be_bytes().to_vec();
    let seed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
    bytes.extend(
        seed.into_iter()
            .cycle()
            .take(length.saturating_sub(bytes.len())),
    );
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_their_length_and_differ() {
        assert_eq!(frame(1, 1024).len(), 1024);
        assert_eq!(frame(1, 0).len(), 8);
        assert_eq!(frame(7, 100), frame(7, 100));
        assert_ne!(frame(7, 100)[8..], frame(8, 100)[8..]);
    }
}
