//! `fps-lab collect`.

use super::Exit;
use super::output::put;
use crate::customer;

/// Prints what a customer runs.
pub(super) fn main(one_line: bool) -> Exit {
    let text = if one_line {
        customer::one_line()
    } else {
        customer::SCRIPT.to_owned()
    };
    put("the script", format!("{}\n", text.trim_end()))
}
