//! A benchmark that fails where a limit is exceeded.

use std::future::Future;
use std::process::ExitCode;

/// Says of each limit whether it was kept; whether all were.
pub(crate) fn judge(limits: impl IntoIterator<Item = (String, bool)>) -> bool {
    let mut kept = true;
    for (what, within) in limits {
        println!("{} {what}", if within { "kept:    " } else { "EXCEEDED:" });
        kept &= within;
    }
    kept
}

/// Runs a benchmark, which tells whether its limits were kept.
pub(crate) fn run(benchmark: impl Future<Output = bool>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    if runtime.block_on(benchmark) {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
