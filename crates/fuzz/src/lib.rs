//! Properties of what FPS reads from strangers, for a fuzzer to break.
//!
//! Each module is one target: `check` takes the fuzzer's bytes, asserts what has to hold, and says
//! whether they led past the first refusal; `seeds` are bytes to begin with. Where a stranger has no key
//! the fuzzer has none either, and what it offers has to be refused; where he has one, the bytes are
//! sealed for him.
//!
//! - Off the link: [`records`], [`auth`] (with the accept), [`classified`].
//! - Inside what was sealed: [`frames`], [`fragments`], [`control`].
//! - From a person: [`profile`], [`config`].
//! - From a customer: [`import`].
//! - From DNS clients and servers: [`dns`].
//! - For all of them: [`input`] takes the bytes apart, [`world`] has the peers, [`forge`] seals
//!   whatever it is given, [`seed`] plants seeds, [`vectors`] has the recorded ones.

pub mod auth;
pub mod classified;
pub mod config;
pub mod control;
pub mod dns;
pub mod forge;
pub mod fragments;
pub mod frames;
pub mod import;
pub mod input;
pub mod profile;
pub mod records;
pub mod seed;
pub mod vectors;
pub mod world;

#[doc(hidden)]
pub use libfuzzer_sys;

/// The program of one target, by its module.
#[macro_export]
macro_rules! target {
    ($module:ident) => {
        use $crate::libfuzzer_sys;
        $crate::libfuzzer_sys::fuzz_target!(
            init: $crate::seed::plant(stringify!($module), $crate::$module::check, $crate::$module::seeds()),
            |data: &[u8]| {
                $crate::$module::check(data);
            }
        );
    };
}
