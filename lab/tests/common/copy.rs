//! Programs of a test's own.

use std::path::Path;
use std::process::Command;

/// Copies a program, by cp(1): a copy that this process writes could not be executed while a
/// child that another thread has forked still has it open for writing (ETXTBSY, execve(2)).
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let output = Command::new("cp").arg(from).arg(to).output();
    let output = output.expect("cp(1) starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cp {from:?} {to:?}: {errors}");
}
