//! A lab that stands, and a shell in its hosts.

use std::path::Path;

use fps_lab::lab::{Host, Lab, Site};
use fps_lab::scenario::parse;
use indexmap::IndexMap;
use tokio::io::AsyncReadExt;

/// Builds the lab of a scenario's text, with this program as its helper.
pub(crate) async fn build(helper: &Path, text: &str) -> Lab {
    let file = parse(Path::new("lab.toml"), text).unwrap_or_else(|error| panic!("{error}"));
    let site = Site {
        helper: helper.to_owned(),
        programs: IndexMap::new(),
    };
    let lab = Lab::build(&file.scenario, &site).await;
    lab.unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

/// A host by its name.
pub(crate) fn host<'lab>(lab: &'lab Lab, name: &str) -> &'lab Host {
    let found = lab.hosts().find(|(known, _)| known.as_str() == name);
    found.unwrap_or_else(|| panic!("no host {name}")).1
}

/// Runs a script in a host to its end, which must be a success; gives what it printed.
pub(crate) async fn shell(lab: &Lab, on: &str, script: &str) -> String {
    let command = ["sh", "-euc", script].map(str::to_owned);
    let path = "/run/fps-lab/bin:/usr/sbin:/usr/bin:/sbin:/bin";
    let environment = [("PATH".to_owned(), path.to_owned())];
    let mut running = lab
        .sandbox()
        .spawn(host(lab, on).id(), &command, &environment)
        .expect("sh(1) starts");
    let mut output = running.output.take().expect("it was just started");
    let mut text = String::new();
    // To the end of sh(1) and of all that it has started without an output of its own.
    output.read_to_string(&mut text).await.expect("text");
    let exit = running.wait().await.expect("the sandbox stands");
    assert!(exit.0.success(), "on {on}: {exit}\n{script}\n{text}");
    text
}
