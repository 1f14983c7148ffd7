//! Checks cannot lie: one that could not see does not pass, and one that passed has seen.
//!
//! Packets are sent by bash(1), whose `/dev/udp/…` needs no further program.

#[path = "../common/played.rs"]
mod played;
#[path = "../common/sabotaged.rs"]
mod sabotaged;
#[path = "../common/texts.rs"]
mod texts;

mod output;
mod reach;
mod sabotage;
mod silence;

use texts::{NO_SABOTAGE, PAIR};

/// Two hosts on one net, and these tables.
fn pair(tables: &str) -> String {
    [NO_SABOTAGE, PAIR, tables].concat()
}
