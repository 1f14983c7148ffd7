//! `fps-lab collect`.

use super::Exit;
use crate::customer;

/// Prints what a customer runs.
pub(super) fn main(one_line: bool) -> Exit {
    if one_line {
        say!("{}", customer::one_line());
    } else {
        say!("{}", customer::SCRIPT.trim_end());
    }
    Exit::Passed
}
