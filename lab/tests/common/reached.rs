//! A step of [`PAIR`](super::texts::PAIR).

/// One reaches the other.
pub(crate) const REACHED: &str =
    "\n[[step]]\nexpect = { reach = { from = \"laptop\", to = \"printer\" } }\n";
