//! nft(8): asked for the ruleset of a host.

use super::Lack;
use super::finding::{About, Finding};
use super::programs;
use super::trial::Trial;
use crate::sandbox::{HostHandle, Sandbox};
use tokio::io::AsyncReadExt;

const ABOUT: About = About {
    name: "nft",
    purpose: "the act `nft`, and scenarios with `needs = [\"nft\"]`",
    decisive: false,
    program: false,
};

pub(super) async fn examine(trial: &Trial) -> Finding {
    let path = match programs::find("nft") {
        Ok(path) => path,
        Err(lack) => return ABOUT.missing(lack),
    };
    let Some((sandbox, host)) = trial.host() else {
        return ABOUT.untried("hosts");
    };
    match ask(sandbox, host, &path.display().to_string()).await {
        Ok(()) => ABOUT.ok(format!("{} has listed a host's ruleset", path.display())),
        Err(what) => ABOUT.missing(Lack::new(what, "sudo modprobe nf_tables")),
    }
}

async fn ask(sandbox: &Sandbox, host: &HostHandle, nft: &str) -> Result<(), String> {
    let command = [nft, "list", "ruleset"].map(str::to_owned);
    let complain = |error| crate::chain(&error);
    let mut running = sandbox.spawn(host.id, &command, &[]).map_err(complain)?;
    let mut said = String::new();
    if let Some(mut output) = running.output.take() {
        // What cannot be read is no reason to fail, but to have nothing to say.
        drop(output.read_to_string(&mut said).await);
    }
    let exit = running.wait().await.map_err(complain)?;
    match exit.0.success() {
        true => Ok(()),
        false => Err(format!("nft list ruleset: {}: {}", exit.0, said.trim_end())),
    }
}
