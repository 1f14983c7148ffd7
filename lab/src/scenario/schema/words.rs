//! Words that several tables have.

use schemars::JsonSchema;

#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", inline)]
pub(super) enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}
