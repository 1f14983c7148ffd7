//! The vectors of the C++ project, one module a set. `data/` has them as they are; what of them is
//! intended to differ is listed by name where it is looked at.

mod classified;
mod control;
mod data;
mod fragmentation;
mod handshake;
mod identity;
mod profile;
mod session;
mod transcript;
