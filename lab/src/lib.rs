//! A laboratory for VPN clients on Linux, as a library for tests.
//!
//! A [`Lab`] is hosts, routers and LANs out of network namespaces, with what runs in them: programs of
//! yours, servers, a tunnel. A test says what is to happen in it and what must then hold. What does not
//! hold explains itself: the way that the packets really took, how the kernel decided, and what is likely
//! the cause. Nothing is left behind, and the machine's own network is never touched.
//!
//! ```
//! use fps_lab::{Failure, Lab, act::unplug, expect::{reach, unreachable}};
//!
//! #[tokio::main(flavor = "current_thread")] // in a test: #[tokio::test]
//! async fn main() -> Result<(), Failure> {
//!     let lab = Lab::builder()
//!         .net("home", "192.168.188.0/24")
//!         .net("internet", "203.0.113.0/24")
//!         .host("laptop", |h| h.link("wlan0", "home", "192.168.188.112").via("192.168.188.1"))
//!         .host("router", |h| h.nat("wan").link("lan", "home", "192.168.188.1")
//!                                         .link("wan", "internet", "203.0.113.1"))
//!         .host("web", |h| h.link("eth0", "internet", "203.0.113.80").serve_tcp(80))
//!         .start().await?;
//!     lab.host("laptop").run(["ip", "route", "get", "203.0.113.80"]).await?;
//!     lab.expect(reach("laptop", "web").tcp().via("wlan0").within_secs(2)).await?;
//!     lab.act(unplug("laptop", "wlan0")).await?;
//!     lab.expect(unreachable("laptop", "web")).await
//! }
//! ```
//!
//! - [`Lab::builder`]: what is to stand; [`Lab::from_file`]: that of a scenario file; [`fixtures`]: labs
//!   that are wanted often
//! - [`Lab::act`] and [`act`]: what is done; [`Lab::host`]: programs in hosts
//! - [`Lab::expect`] and [`expect`]: what must hold; [`Lab::step`]: several acts and expectations at once
//! - [`Failure`]: what a test prints that fails, as an error of `?` and of `unwrap` alike
//!
//! All of it is the scenario format of the command `fps-lab`: the same reader, acts, checks and
//! explanations. Whatever has no method here is given as text of that format, and
//! [`Lab::to_toml`] gives a lab back as a file to play.
//!
//! A lab needs the program `fps-lab`, which holds its namespaces, and brings along FPS and the route
//! engine. It is the one that `FPS_LAB_BIN` names, or else beside the test, in the package's target folder,
//! or in `PATH`, and must be built from the same sources as this library. Where there is none, or a stale
//! one, the failure has the command that builds it: in this workspace `cargo build -p fps-lab`.
//! Labs need root or user namespaces, those with a tunnel also `/dev/net/tun`. Logs go to `fps-lab-out` in
//! the target folder, or where `FPS_LAB_OUT` says.

mod api;
#[doc(hidden)]
pub mod ask;
pub(crate) mod authority;
pub(crate) mod channel;
#[doc(hidden)]
pub mod cli;
#[doc(hidden)]
pub mod counters;
#[doc(hidden)]
pub mod customer;
#[doc(hidden)]
pub mod desk;
#[doc(hidden)]
pub mod doctor;
#[doc(hidden)]
pub mod draw;
#[doc(hidden)]
pub mod dump;
#[doc(hidden)]
pub mod explain;
#[doc(hidden)]
pub mod folder;
#[doc(hidden)]
pub mod html;
#[doc(hidden)]
pub mod import;
#[doc(hidden)]
pub mod lab;

mod limits;
#[doc(hidden)]
pub mod multicall;
#[doc(hidden)]
pub mod play;
#[doc(hidden)]
pub mod probe;
#[doc(hidden)]
pub mod report;
#[doc(hidden)]
pub mod run;
#[doc(hidden)]
pub mod sandbox;
#[doc(hidden)]
pub mod scenario;
#[doc(hidden)]
pub mod snapshot;
#[doc(hidden)]
pub mod tape;
#[doc(hidden)]
pub mod tell;
pub(crate) mod user;
#[doc(hidden)]
pub mod wire;

pub use api::*;

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
