//! The programs of this crate as others see them, over the loopback.

mod forward;
mod host;
