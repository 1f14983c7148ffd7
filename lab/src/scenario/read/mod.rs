//! From values with places to the model, with every check on the way.
//!
//! - [`Document`]: the file's tree, which a sabotage changes
//! - [`scenario`]: the whole of it
//! - [`Lab`]: what later parts refer to: nets, hosts, programs, the tunnel
//! - `act`, `expect`: what steps do and check; `footprint`: acts from another file

mod act;
mod advertise;
mod cables;
mod dhcp;
mod dns;
mod document;
mod expect;
mod family;
mod files;
mod footprint;
mod host;
mod lab;
mod link;
mod names;
mod net;
mod path;
mod plug;
mod probe;
mod program;
mod ready;
mod route;
mod scenario;
mod state;
mod step;
mod target;
mod throughput;
mod tunnel;
mod verb;

pub(crate) use act::is_verb as is_act;
pub(crate) use document::{Document, StepNode};
pub(crate) use footprint::shipped_footprints;
pub(crate) use names::Names;
pub(crate) use scenario::scenario;
pub(crate) use verb::Verb;

use act::act;
use cables::Cables;
use family::Family;
use lab::Lab;
use plug::{Gift, Plug, Plugs};
