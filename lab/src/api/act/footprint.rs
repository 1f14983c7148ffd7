//! What other programs leave in a host.

use crate::api::phrase::phrases;

phrases! {
    /// A footprint.
    Footprint "footprint" as an_act {
        /// What another program leaves in a host, such as `"wg-quick"` or `"docker"`; `set` gives its
        /// parameters.
        fn footprint(of: &str => "use", on: &str => "on");
        /// It goes.
        fn remove() => "action" = "remove";
    }
}
