//! `fps-lab ps`.

use super::Exit;
use crate::desk::{Client, DeskError, Look, Phase, ProgramLook, RuntimeFolder, table, tunnel_line};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab ps --json")]
pub(super) struct Arguments {
    /// Print it as JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn main(arguments: &Arguments) -> Exit {
    match look() {
        Ok(labs) if arguments.json => {
            let text = serde_json::to_string_pretty(&labs);
            say!(
                "{}",
                text.expect("it has no maps with other keys than texts")
            );
            Exit::Passed
        }
        Ok(labs) => {
            show(&labs);
            Exit::Passed
        }
        Err(error) => {
            complain!("fps-lab: {}", crate::chain(&error));
            Exit::NoLab
        }
    }
}

fn look() -> Result<Vec<Look>, DeskError> {
    let labs = Client::all(&RuntimeFolder::find()?)?;
    let mut looks = Vec::new();
    for mut lab in labs {
        match lab.look() {
            Ok(look) => looks.push(look),
            // It has ended meanwhile.
            Err(DeskError::Gone) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(looks)
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
