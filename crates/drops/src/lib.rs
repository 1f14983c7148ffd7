//! Which packets the kernel drops in a network namespace, and why, in its own words.
//!
//! - [`Drops`]: hears of them, as long as it lives
//! - [`Dropped`]: a packet, where it was, and the kernel's reason (`enum skb_drop_reason`)
//! - [`Kernel`]: what has to be known of the running kernel for that; reading it takes some milliseconds
//!
//! How it is done: each packet that is thrown away passes the tracepoint `skb:kfree_skb`. A BPF program
//! hangs there, looks whether the packet is of the namespace, and puts its headers into a queue.
//!
//! - `program`: that program
//! - `btf`: where in the kernel's structures things are, as the kernel describes itself
//! - `syscall`: bpf(2)
//!
//! It takes CAP_BPF and CAP_PERFMON in the first user namespace, and a kernel with `CONFIG_DEBUG_INFO_BTF`;
//! [`Error::is_lack`] tells that from what should not be.

mod btf;
mod drops;
mod error;
mod kernel;
mod program;
mod syscall;

pub use drops::{Dropped, Drops};
pub use error::{Error, Result};
pub use kernel::Kernel;
