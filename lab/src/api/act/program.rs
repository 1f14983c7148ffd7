//! Programs that start, end and run.

use crate::api::IntoValue;
use crate::api::phrase::{IntoAct, phrase, phrases, within};

/// Starts, stops or kills programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it is nothing but words until a lab is given it"]
pub struct Call {
    verb: &'static str,
    who: String,
}

/// Starts the tunnel's programs (`"tunnel"`), one of them (`"client"`, `"server"`, `"origin"`,
/// `"carrier"`) or a program of the lab, and waits until it is ready.
pub fn start(who: &str) -> Call {
    Call::new("start", who)
}

/// Ends them with SIGTERM; also `"routes"`, the route engine wherever it watches.
pub fn stop(who: &str) -> Call {
    Call::new("stop", who)
}

/// Ends them with SIGKILL.
pub fn kill(who: &str) -> Call {
    Call::new("kill", who)
}

impl Call {
    fn new(verb: &'static str, who: &str) -> Self {
        let who = who.to_owned();
        Self { verb, who }
    }
}

impl IntoAct for Call {
    fn into_act(self) -> String {
        phrase(self.verb, self.who.into_value())
    }
}

phrases! {
    /// A command.
    Run "run" as an_act {
        /// Runs a command on a host, and waits until it has ended.
        fn run(on: &str => "on", command: impl IntoValue => "command");
        /// The exit code that it must have; 0 where nothing is said.
        fn exit(code: u8) => "exit" = code;
    }
}

within!(Run);
