//! Cells side by side.

/// A rectangle of cells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rect {
    /// The first column.
    pub x: i32,
    /// The first row.
    pub y: i32,
    /// How many columns.
    pub w: i32,
    /// How many rows.
    pub h: i32,
}

impl Rect {
    /// The column behind the last.
    pub fn right(&self) -> i32 {
        self.x + self.w
    }

    /// The row below the last.
    pub fn bottom(&self) -> i32 {
        self.y + self.h
    }

    /// Whether a cell is in both.
    pub fn meets(&self, other: &Self) -> bool {
        let empty = |it: &Self| it.w <= 0 || it.h <= 0;
        !empty(self)
            && !empty(other)
            && self.x < other.right()
            && other.x < self.right()
            && self.y < other.bottom()
            && other.y < self.bottom()
    }

    /// With so many more cells at each side, and at top and bottom.
    pub(super) fn grown(&self, sides: i32, ends: i32) -> Self {
        Self {
            x: self.x - sides,
            y: self.y - ends,
            w: self.w + 2 * sides,
            h: self.h + 2 * ends,
        }
    }
}
