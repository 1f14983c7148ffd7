//! `fps-lab ps`.

use std::thread;
use std::time::Duration;

use super::Exit;
use crate::desk::{
    Client, DeskError, LabName, Look, Phase, ProgramLook, RuntimeFolder, table, tunnel_line,
};

/// How long a lab may take to say what there is of it: a person waits.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab ps --json")]
pub(super) struct Arguments {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    let labs = match look() {
        Ok(labs) => labs,
        Err(error) => {
            complain!("fps-lab: {}", crate::chain(&error));
            return Exit::NoLab;
        }
    };
    let Labs { up, silent } = labs;
    if arguments.json {
        let text = serde_json::to_string_pretty(&up);
        say!(
            "{}",
            text.expect("it has no maps with other keys than texts")
        );
    } else if !up.is_empty() || silent.is_empty() {
        show(&up);
    }
    for (name, error) in &silent {
        complain!("fps-lab: {name}: {}", crate::chain(error));
    }
    match silent.is_empty() {
        true => Exit::Passed,
        false => Exit::NoLab,
    }
}

/// The labs of this user.
#[derive(Default)]
struct Labs {
    up: Vec<Look>,
    /// Those that say nothing of themselves, and why.
    silent: Vec<(LabName, DeskError)>,
}

/// Asks all at once, so that one that does not answer keeps none of the others back.
fn look() -> Result<Labs, DeskError> {
    let asked = Client::all(&RuntimeFolder::find()?)?.into_iter();
    let asked = asked.map(|mut lab| {
        let name = lab.name().clone();
        (name, thread::spawn(move || lab.look_within(PATIENCE)))
    });
    let asked: Vec<_> = asked.collect();
    let mut labs = Labs::default();
    for (name, look) in asked {
        match look.join().expect("it does not panic") {
            Ok(look) => labs.up.push(look),
            // It has ended meanwhile.
            Err(DeskError::Gone) => {}
            Err(error) => labs.silent.push((name, error)),
        }
    }
    Ok(labs)
}

fn show(labs: &[Look]) {
    if labs.is_empty() {
        say!("{}", DeskError::None);
    }
    for (number, lab) in labs.iter().enumerate() {
        if number > 0 {
            say!("");
        }
        let state = match lab.state {
            Phase::Held => "held ",
            Phase::Paused => "paused ",
            Phase::Building | Phase::Playing => "",
            Phase::Lost => "LOST: ",
        };
        let Look {
            lab: name,
            at,
            since,
            pid,
            ..
        } = lab;
        say!("{name}  {state}{at}, since {since}, pid {pid}");
        say!("  {}", lab.title);
        say!("  {}", lab.file.display());
        say!("  logs in {}", lab.logs.display());
        if let Some(tunnel) = &lab.tunnel {
            say!("  {}", tunnel_line(tunnel));
        }
        let hosts: Vec<&str> = lab.hosts.iter().map(|host| host.name.as_str()).collect();
        say!("  hosts: {}", hosts.join(", "));
        let head = ["HOST", "PID", "OUTSIDE", "PROGRAM"]
            .map(str::to_owned)
            .to_vec();
        let rows = lab.programs.iter().map(row);
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(rows).collect();
        for line in table(&rows) {
            say!("  {line}");
        }
    }
}

fn row(program: &ProgramLook) -> Vec<String> {
    let name = program.name.as_ref();
    let name = name.map_or_else(String::new, |name| format!("{name}: "));
    vec![
        program.host.clone().unwrap_or_else(|| "-".to_owned()),
        program.pid.to_string(),
        program.outer_pid.to_string(),
        format!("{name}{}", program.command),
    ]
}
