//! A lab as a picture.
//!
//! - [`Plan`]: what is drawn: nets, hosts, their links, the tunnel, the way of its packets
//! - `survey`, `way`: the plan of a scenario
//! - [`Layout`]: where each part is, in cells of a grid; the same for every form
//! - [`text`], [`svg`], [`mermaid`]: the forms

mod layout;
mod mermaid;
mod plan;
mod short;
mod survey;
mod svg;
mod text;
mod way;

pub use layout::{Drop, HostPlace, Layout, LinkPlace, NetPlace, Rect, Side};
pub use mermaid::mermaid;
pub use plan::{HostPart, LinkPart, NetPart, Plan, TunnelEnd, TunnelPart};
pub use svg::{Hop, RULES, Way, svg, svg_file};
pub use text::text;
