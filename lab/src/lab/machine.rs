//! What a scenario needs of the machine, looked at before anything is built.

use std::fs::OpenOptions;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::LabError;
use crate::sandbox::PATH;
use crate::scenario::Scenario;

/// The device that a TUN is opened by.
const TUN: &str = "/dev/net/tun";

pub(super) fn check(scenario: &Scenario) -> Result<(), LabError> {
    for program in &scenario.needs {
        if !has_program(program) {
            return Err(LabError::Missing {
                program: program.clone(),
            });
        }
    }
    if scenario.tunnel.is_some() {
        // A device node may be opened by its mode alone, whatever the capabilities in a user
        // namespace.
        let opened = OpenOptions::new().read(true).write(true).open(TUN);
        opened.map(drop).map_err(LabError::NoTun)?;
    }
    Ok(())
}

/// Looks a program up where the hosts will.
fn has_program(program: &str) -> bool {
    PATH.split(':').any(|folder| {
        let file = Path::new(folder).join(program).metadata();
        file.is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    })
}
