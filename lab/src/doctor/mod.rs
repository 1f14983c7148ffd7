//! What this machine can and cannot do for a lab: each thing is tried, not guessed.
//!
//! - [`examine`]: all of it, for `fps-lab doctor`
//! - [`Need`]: what one scenario needs, looked at before its lab is built
//! - [`stand`]: whether a lab can be had at all, before a run begins
//! - [`Finding`], [`Lack`]: what was seen, and what to do about it; the words are the same for both
//! - `trial`: a sandbox with one host, in which things are tried
//!
//! The other files are one thing each.

mod control_groups;
mod drops;
mod finding;
mod hosts;
mod kernel;
mod lack;
mod links;
mod namespaces;
mod nat;
mod need;
mod netem;
mod nft;
mod open_files;
mod proc;
mod processes;
mod programs;
mod resolved;
mod trial;
mod tun;
mod user;

use std::os::fd::OwnedFd;
use std::path::Path;

pub(crate) use control_groups::explain as explain_groups;
pub use finding::{Finding, State};
pub use lack::Lack;
pub use need::Need;
use trial::Trial;

use crate::sandbox::Sandbox;

/// Tries everything that a lab may need; `helper` is an `fps-lab` program.
pub async fn examine(helper: &Path) -> Vec<Finding> {
    let mut findings = vec![user::examine()];
    let (sandbox, trial) = match Trial::begin(helper) {
        Ok(trial) => (Ok(()), trial),
        Err(error) => (Err(error), Trial::none()),
    };
    findings.push(namespaces::examine(sandbox));
    findings.push(open_files::examine());
    findings.push(processes::examine());
    findings.push(hosts::examine(&trial));
    findings.push(links::examine(&trial).await);
    findings.push(nat::examine(&trial));
    findings.push(tun::examine());
    findings.push(control_groups::examine(helper));
    findings.push(kernel::examine());
    findings.push(netem::examine(&trial).await);
    findings.push(nft::examine(&trial).await);
    findings.push(drops::examine(&trial).await);
    findings.push(resolved::examine());
    findings.extend(programs::examine());
    findings
}

/// A sandbox, to show that labs can be had. To be kept until the run is over: while the kernel clears
/// one away, it makes no others.
pub fn stand(helper: &Path) -> Result<impl Sized + use<>, Lack> {
    // Once, and not for each lab: those that stand have taken of what is counted.
    processes::room()?;
    start_sandbox(helper)
}

/// A sandbox with the socket of its switch's namespace, or what to do where none is to be had.
pub(crate) fn start_sandbox(helper: &Path) -> Result<(Sandbox, OwnedFd), Lack> {
    open_files::look()?;
    try_sandbox(helper)
}

/// The same, where there need not be room for a lab in it.
fn try_sandbox(helper: &Path) -> Result<(Sandbox, OwnedFd), Lack> {
    namespaces::look()?;
    Sandbox::start(helper).map_err(|error| namespaces::explain(&error))
}
