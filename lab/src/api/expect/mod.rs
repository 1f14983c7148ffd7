//! What must hold in a lab. Each of these is an expectation of the scenario format, checked by the same
//! code; where one has more keys than there are methods, `set` takes them.
//!
//! A host with several links is `"host:link"` where a target is asked for.

mod name;
mod program;
mod reach;
mod state;

pub use name::{NotAsked, Resolves, not_asked, resolves};
pub use program::{Log, Prints, Says, Status, log, prints, says, status};
pub use reach::{
    NoCarrierLoop, Outage, Reach, Silent, Throughput, Trace, Unreachable, no_carrier_loop, outage,
    path, reach, silent, throughput, unreachable,
};
pub use state::{Changes, Counter, Kernel, Unchanged, changes, counter, kernel, unchanged};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::IntoExpectation;
    use crate::api::phrase::{self, verbs_of_the_format};

    fn verb(it: impl IntoExpectation) -> String {
        phrase::verb(&it.into_expectation())
    }

    #[test]
    fn each_expectation_of_the_format_has_words_here() {
        let mut said = [
            verb(reach("laptop", "web")),
            verb(unreachable("laptop", "web")),
            verb(outage(
                "laptop",
                "web",
                std::time::Duration::from_millis(300),
            )),
            verb(path("laptop", "web", ["laptop:wlan0"])),
            verb(throughput("laptop", "web", 0.2).of("laptop", "printer")),
            verb(silent("laptop", "wlan0")),
            verb(no_carrier_loop("laptop")),
            verb(says("client", "ready")),
            verb(resolves("laptop", "www.example.net", "10.66.1.20")),
            verb(not_asked("router", "www.example.net")),
            verb(kernel("laptop")),
            verb(changes("laptop", ["add route 10.0.0.0/8"])),
            verb(unchanged("laptop", "start")),
            verb(prints("laptop", ["true"], "")),
            verb(counter("laptop", "IpExt.InNoRoutes")),
            verb(log("client")),
            verb(status("client", "tun.mtu")),
        ]
        .to_vec();
        said.sort();
        said.dedup();
        assert_eq!(said, verbs_of_the_format("Expectation"));
    }
}
