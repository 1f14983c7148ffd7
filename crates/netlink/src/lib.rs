//! The kernel's routing vocabulary.

mod id;
mod name;

pub use id::{Fwmark, IfIndex, RulePriority, TableId};
pub use name::{InvalidLinkName, LinkName};
