//! `fps-lab down` and `fps-lab resume`.

use super::Exit;
use crate::desk::{Client, DeskError, RuntimeFolder};

#[derive(Debug, clap::Args)]
#[command(
    after_help = "It returns when nothing of the lab is left. A play that `fps-lab run \
                        --pause-on-failure` holds ends there, and the run goes on with the next.\n\n\
                        Example: fps-lab down split-tunnel"
)]
pub(super) struct Down {
    /// Which lab, where several are up
    lab: Option<String>,
    /// All that are up
    #[arg(long, conflicts_with = "lab")]
    all: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = "Example: fps-lab resume split-tunnel")]
pub(super) struct Resume {
    /// Which lab, where several are up
    lab: Option<String>,
}

pub(super) fn down(arguments: &Down) -> Exit {
    exit(match arguments.all {
        true => down_all(),
        false => find(arguments.lab.as_deref()).and_then(end),
    })
}

pub(super) fn resume(arguments: &Resume) -> Exit {
    let resumed = find(arguments.lab.as_deref()).and_then(|mut lab| {
        lab.resume()?;
        say!("{}  goes on", lab.name());
        Ok(())
    });
    exit(resumed)
}

fn find(lab: Option<&str>) -> Result<Client, DeskError> {
    Client::find(&RuntimeFolder::find()?, lab, "LAB")
}

fn down_all() -> Result<(), DeskError> {
    let labs = Client::all(&RuntimeFolder::find()?)?;
    if labs.is_empty() {
        say!("{}", DeskError::None);
    }
    labs.into_iter().try_for_each(end)
}

fn end(lab: Client) -> Result<(), DeskError> {
    let name = lab.name().clone();
    match lab.down() {
        // Somebody else was quicker.
        Ok(()) | Err(DeskError::Gone) => {
            say!("{name}  down");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

fn exit(done: Result<(), DeskError>) -> Exit {
    match done {
        Ok(()) => Exit::Passed,
        Err(error) => {
            complain!("fps-lab: {}", crate::chain(&error));
            Exit::NoLab
        }
    }
}
