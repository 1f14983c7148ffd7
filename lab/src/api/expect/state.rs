//! What a host's kernel has.

use crate::api::IntoValue;
use crate::api::phrase::{lasting, named, phrases, within};

phrases! {
    /// Kernel objects are there.
    Kernel "kernel" as an_expectation {
        /// On a host there are objects, as the methods say.
        fn kernel(on: &str => "on");
        /// Lines as `ip rule` prints them.
        fn rules(lines: impl IntoValue) => "rules" = lines;
        /// Lines as `ip route` prints them.
        fn routes(lines: impl IntoValue) => "routes" = lines;
        /// Lines as `ip addr` has them: `"10.66.0.2/30 dev fpsc0"`.
        fn addresses(lines: impl IntoValue) => "addresses" = lines;
        /// Lines as `ip link` has them: `"fpsc0 mtu 1280 up"`.
        fn links(lines: impl IntoValue) => "links" = lines;
        /// Lines as `sysctl` prints them.
        fn sysctls(lines: impl IntoValue) => "sysctls" = lines;
    }

    /// A host's network is as it was.
    Unchanged "unchanged" as an_expectation {
        /// A host's network is as it was at a moment that the lab was told to remember.
        fn unchanged(on: &str => "on", since: &str => "since");
        /// Links that may be other.
        fn except(links: impl IntoValue) => "except" = links;
    }

    /// Programs change a host's network.
    Changes "changes" as an_expectation {
        /// What programs change in a host's network while the acts of the step are done, and nothing
        /// else: lines such as `"add route 10.0.0.0/8 dev fpsc0"`.
        fn changes(on: &str => "on", lines: impl IntoValue => "lines");
    }

    /// The kernel counts.
    Counter "counter" as an_expectation {
        /// What a host has counted since the acts of the step began: `"IpExt.InNoRoutes"`,
        /// `"eth0.rx_packets"`.
        fn counter(on: &str => "on", name: &str => "name");
        /// So much or more.
        fn at_least(number: u32) => "at-least" = number;
        /// So much or less.
        fn at_most(number: u32) => "at-most" = number;
        /// So much.
        fn exactly(number: u32) => "exactly" = number;
    }
}

impl Kernel {
    /// Lines that must not be there, of the kind that the key says: `rules`, `routes`, `addresses`,
    /// `links` or `sysctls`.
    pub fn absent(mut self, kind: &str, lines: impl IntoValue) -> Self {
        let absent = self.0.entry("absent").or_insert(toml::Table::new().into());
        if let Some(absent) = absent.as_table_mut() {
            absent.insert(kind.to_owned(), lines.into_value());
        }
        self
    }
}

within!(Kernel, Unchanged, Counter);
lasting!(Kernel, Counter);
named!("name": Kernel, Unchanged, Changes);
named!("as": Counter);
