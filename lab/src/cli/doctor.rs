//! `fps-lab doctor`.

use std::io::{self, Write};

use super::Exit;
use crate::doctor::{Finding, State, examine};
use crate::lab::Site;

#[derive(Debug, clap::Args)]
#[command(after_help = "\
Each thing is tried: namespaces and a host are made, /dev/net/tun is opened. Nothing is left.

Exit codes: 0 labs can be had, tunnels and all; 3 they cannot.

Example: fps-lab doctor")]
pub(super) struct Arguments {
    /// Print the findings as JSON, and nothing else
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain!("fps-lab: start a runtime: {error}");
            return Exit::NoLab;
        }
    };
    let findings = runtime.block_on(examine(&Site::this_program().helper));
    let told = if arguments.json {
        as_data(&findings)
    } else {
        as_table(&findings)
    };
    match told {
        // A closed pipe ends nothing: the exit code still tells.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            complain!("fps-lab: print the findings: {error}");
            return Exit::NoLab;
        }
        _ => {}
    }
    match findings.iter().any(Finding::forbids) {
        false => Exit::Passed,
        true => Exit::NoLab,
    }
}

fn as_data(findings: &[Finding]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, findings)?;
    writeln!(out)
}

/// One line for each, and what to do below it; what is well of the optional programs in one.
fn as_table(findings: &[Finding]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    let well = |it: &&Finding| it.program && it.state == State::Ok;
    let programs: Vec<_> = findings.iter().filter(well).map(|it| it.name).collect();
    for finding in findings.iter().filter(|it| !well(it)) {
        let Finding { name, seen, .. } = finding;
        writeln!(out, "{:7}  {name:13}  {seen}", finding.state.word())?;
        if finding.state == State::Ok {
            continue;
        }
        writeln!(out, "{:9}for {}", "", finding.purpose)?;
        if let Some(remedy) = &finding.remedy {
            writeln!(out, "{:9}do: {remedy}", "")?;
        }
    }
    if !programs.is_empty() {
        let ok = State::Ok.word();
        writeln!(out, "{ok:7}  {:13}  {}", "programs", programs.join(", "))?;
    }
    let forbids: Vec<_> = findings.iter().filter(|it| it.forbids()).collect();
    writeln!(out)?;
    if forbids.is_empty() {
        return writeln!(
            out,
            "labs can be had here: fps-lab run scenarios/split-tunnel.toml"
        );
    }
    let names: Vec<_> = forbids.iter().map(|it| it.name).collect();
    writeln!(
        out,
        "NO LAB with a tunnel can be had here before this is mended: {}",
        names.join(", ")
    )
}
