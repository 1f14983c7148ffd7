//! Where each part of a picture is.
//!
//! Nets are vertical lines in columns, hosts are boxes in the gaps between the columns, and links are
//! horizontal lines from boxes to nets; the tunnel is a lane below all. All of it is in cells, which are
//! characters of a text: what does not overlap in cells does not overlap in any form.
//!
//! - [`Rect`]: cells side by side
//! - `frame`: how wide columns and gaps are; `pack`: one arrangement, packed from the top
//! - `search`: the arrangement with the fewest crossings and the least room

mod frame;
mod pack;
mod rect;
mod search;

pub use rect::Rect;

use super::Plan;

/// Where everything is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// How many columns of cells there are.
    pub width: i32,
    /// How many rows of cells there are.
    pub height: i32,
    /// The nets, as in the plan.
    pub nets: Vec<NetPlace>,
    /// The hosts, as in the plan.
    pub hosts: Vec<HostPlace>,
    /// The ends of the tunnel, the client's first.
    pub drops: Vec<Drop>,
    /// The tunnel's name: on its lane, or below it where that is too short.
    pub name: Rect,
}

/// Where a net is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NetPlace {
    /// The column of its line.
    pub x: i32,
    /// The first row of its line.
    pub top: i32,
    /// The last row of its line.
    pub bottom: i32,
    /// Its name and subnets, one a row.
    pub label: Rect,
}

/// Where a host is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPlace {
    /// Its box with the border.
    pub rect: Rect,
    /// Its links, as in the plan.
    pub links: Vec<LinkPlace>,
}

/// On which side of its host a link is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Side {
    /// Towards the first column.
    #[default]
    Left,
    /// Towards the last.
    Right,
}

/// Where a link is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkPlace {
    /// On which side of its host.
    pub side: Side,
    /// Its cells, between its box and its net's line.
    pub line: Rect,
    /// Its addresses, above the line.
    pub above: Rect,
    /// Its name, below the line.
    pub below: Rect,
    /// The columns in which it crosses the lines of other nets.
    pub hops: Vec<i32>,
}

/// Where an end of the tunnel is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drop {
    /// Its line, from below its host's box to the lane.
    pub line: Rect,
    /// Its device and addresses, one a row.
    pub label: Rect,
}

impl Layout {
    /// Arranges a plan.
    pub fn of(plan: &Plan) -> Self {
        search::best(plan)
    }

    /// The row of the tunnel's lane.
    pub fn lane(&self) -> Option<i32> {
        self.drops.first().map(|drop| drop.line.bottom())
    }
}

/// How many cells a text takes.
pub(super) fn cells(text: &str) -> i32 {
    i32::try_from(text.chars().count()).unwrap_or(i32::MAX)
}
