//! How wide columns and gaps are.

use super::{Rect, Side, cells};
use crate::draw::{LinkPart, Plan};

/// An arrangement: which nets are in which column, which hosts in which gap, and in which order they
/// take their places.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arrangement {
    /// The nets of each column, from the top.
    pub(super) columns: Vec<Vec<usize>>,
    /// The gap of each host: gap 0 is left of the first column, gap 1 right of it.
    pub(super) gaps: Vec<usize>,
    /// The hosts in the order in which they are placed.
    pub(super) order: Vec<usize>,
}

impl Arrangement {
    /// The column of each net and its place in it.
    pub(super) fn spots(&self, nets: usize) -> Vec<(usize, usize)> {
        let mut spots = vec![(0, 0); nets];
        for (column, members) in self.columns.iter().enumerate() {
            for (place, net) in members.iter().enumerate() {
                spots[*net] = (column, place);
            }
        }
        spots
    }
}

/// Columns and gaps of an arrangement.
#[derive(Clone, Debug)]
pub(super) struct Frame {
    /// The column and the place in it of each net.
    pub(super) spots: Vec<(usize, usize)>,
    /// Where the line of each column is.
    pub(super) lines: Vec<i32>,
    /// Where the boxes of each gap begin, and how wide they are.
    pub(super) boxes: Vec<(i32, i32)>,
}

/// A gap: room for links to the left, the boxes, room for links to the right.
#[derive(Clone, Copy, Debug, Default)]
struct Gap {
    left: i32,
    boxes: i32,
    right: i32,
}

/// Cells between a link's label and what is beside it, both sides together.
const AIR: i32 = 3;

impl Frame {
    pub(super) fn new(plan: &Plan, arrangement: &Arrangement) -> Self {
        let spots = arrangement.spots(plan.nets.len());
        let mut gaps = gaps(plan, arrangement, &spots);
        let half = |column: usize| {
            let members = arrangement.columns.get(column).into_iter().flatten();
            members
                .map(|net| label_width(plan, *net) / 2 + 1)
                .max()
                .unwrap_or(0)
        };
        let last = gaps.len() - 1;
        for (number, gap) in gaps.iter_mut().enumerate() {
            let before = if number == 0 { 0 } else { half(number - 1) };
            let after = if number == last { 0 } else { half(number) };
            // The labels of two nets that are side by side.
            let between = if number == 0 || number == last { 0 } else { 2 };
            let missing = before + after + between - (gap.left + gap.boxes + gap.right);
            if missing > 0 {
                gap.left += missing / 2;
                gap.right += missing - missing / 2;
            }
        }
        let (mut x, mut lines, mut boxes) = (0, Vec::new(), Vec::new());
        for gap in &gaps {
            boxes.push((x + gap.left, gap.boxes));
            x += gap.left + gap.boxes + gap.right;
            lines.push(x);
            x += 1;
        }
        lines.pop();
        Self {
            spots,
            lines,
            boxes,
        }
    }

    /// On which side of a gap a net is.
    pub(super) fn side(&self, gap: usize, link: &LinkPart) -> Side {
        match self.spots[link.net].0 < gap {
            true => Side::Left,
            false => Side::Right,
        }
    }

    /// The line of a net's column.
    pub(super) fn line(&self, net: usize) -> i32 {
        self.lines[self.spots[net].0]
    }

    /// Where a net's label is, if its last row is above `bottom`.
    pub(super) fn label(&self, plan: &Plan, net: usize, bottom: i32) -> Rect {
        let (w, h) = (label_width(plan, net), label_height(plan, net));
        Rect {
            x: self.line(net) - w / 2,
            y: bottom - h,
            w,
            h,
        }
    }
}

fn gaps(plan: &Plan, arrangement: &Arrangement, spots: &[(usize, usize)]) -> Vec<Gap> {
    let count = arrangement.columns.len() + 1;
    let mut gaps = vec![Gap::default(); count];
    for (host, gap) in plan.hosts.iter().zip(&arrangement.gaps) {
        let room = &mut gaps[*gap];
        let notes = host.notes.iter().map(|note| cells(note));
        let text = notes.chain([cells(&host.name)]).max().unwrap_or(0);
        room.boxes = room.boxes.max(text + 4);
        for link in &host.links {
            let wide = link_width(link) + AIR;
            match spots[link.net].0 < *gap {
                true => room.left = room.left.max(wide),
                false => room.right = room.right.max(wide),
            }
        }
    }
    for (number, gap) in gaps.iter_mut().enumerate() {
        // A box without a link on one side stands off the net there.
        if gap.boxes > 0 && number > 0 {
            gap.left = gap.left.max(AIR);
        }
        if gap.boxes > 0 && number < count - 1 {
            gap.right = gap.right.max(AIR);
        }
    }
    gaps
}

/// How wide what stands at a link is.
pub(super) fn link_width(link: &LinkPart) -> i32 {
    cells(&link.short).max(cells(&link.label()))
}

fn label_width(plan: &Plan, net: usize) -> i32 {
    let part = &plan.nets[net];
    let subnets = part.subnets.iter().map(|it| cells(it));
    subnets.chain([cells(&part.name)]).max().unwrap_or(0)
}

/// How many rows a net's name and subnets take.
pub(super) fn label_height(plan: &Plan, net: usize) -> i32 {
    1 + i32::try_from(plan.nets[net].subnets.len()).unwrap_or(i32::MAX - 1)
}
