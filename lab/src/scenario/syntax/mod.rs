//! The file's text as values with places.
//!
//! - [`Node`]: a value; [`Word`]: a string; [`Table`]: a table with known keys
//! - `address`, `duration`, `name`: what strings can mean

mod address;
mod duration;
#[cfg(test)]
pub(crate) mod known;
mod name;
mod node;
mod table;
mod word;

pub(crate) use name::is_domain;
pub(crate) use node::{Node, optional};
pub(crate) use table::Table;
pub(crate) use word::Word;
