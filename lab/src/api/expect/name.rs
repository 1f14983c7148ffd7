//! Whether names lead to what they should.

use crate::api::IntoValue;
use crate::api::phrase::{lasting, named, phrases, within};

phrases! {
    /// A name leads to what it should, by each way in which that host can ask.
    Resolves "resolves" as an_expectation {
        /// On a host a name leads to this address, or these; also `"no-name"`, `"no-data"`, `"refused"`,
        /// `"failure"`.
        fn resolves(on: &str => "on", name: &str => "name", to: impl IntoValue => "to");
        /// The type of its records, if that is not `"A"`.
        fn kind(kind: &str) => "type" = kind;
        /// How it is asked, of `"nss"`, `"udp"`, `"tcp"` and `"resolvectl"`, in place of all ways.
        fn by(ways: impl IntoValue) => "by" = ways;
        /// The server of this host is asked, and no other.
        fn asked(host: &str) => "asked" = host;
        /// The questions leave by this link, and by no other.
        fn via(link: &str) => "via" = link;
    }

    /// A server is not asked.
    NotAsked "not-asked" as an_expectation {
        /// A host's server is not asked for a name, nor for one below it, from the acts of the step on.
        fn not_asked(on: &str => "on", name: &str => "name");
    }
}

within!(Resolves);
lasting!(NotAsked);
named!("as": Resolves, NotAsked);
