//! The fuzzer's bytes, taken apart from the front. What is missing is zero, so that every input means
//! something.

/// What is left of them.
#[derive(Debug)]
pub struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of them.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A byte.
    pub fn byte(&mut self) -> u8 {
        self.array::<1>()[0]
    }

    /// A number of two bytes.
    pub fn short(&mut self) -> u16 {
        u16::from_be_bytes(self.array())
    }

    /// A number of four bytes.
    pub fn long(&mut self) -> u32 {
        u32::from_be_bytes(self.array())
    }

    /// So many bytes.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let some = self.take(N);
        array[..some.len()].copy_from_slice(some);
        array
    }

    /// So many bytes, or fewer.
    pub fn take(&mut self, most: usize) -> &'a [u8] {
        let (some, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        some
    }

    /// As many bytes as the next two say, or fewer.
    pub fn some(&mut self) -> &'a [u8] {
        let length = self.short();
        self.take(length.into())
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }
}

/// The bytes that [`Input::some`] takes for these.
pub fn put(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    [&length.to_be_bytes(), &bytes[..length.into()]].concat()
}
