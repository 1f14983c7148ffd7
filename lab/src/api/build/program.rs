//! A program of a lab.

use std::time::Duration;

use toml::{Table, Value};

use crate::api::IntoValue;

/// A program that the lab starts and stops by name: when it is ready, and whether it may end.
#[derive(Clone, Debug)]
#[must_use = "it is returned to the lab's builder"]
pub struct ProgramBuilder {
    pub(in crate::api) program: Table,
    sign: Option<(&'static str, String)>,
    within: Option<Duration>,
}

impl ProgramBuilder {
    pub(in crate::api) fn new(on: &str, command: Vec<String>) -> Self {
        let program = [("on", on.into_value()), ("command", command.into_value())];
        Self {
            program: Table::from_iter(program.map(|(key, value)| (key.to_owned(), value))),
            sign: None,
            within: None,
        }
    }

    /// It is ready once a line of its output holds this text.
    pub fn ready_when_it_says(mut self, text: &str) -> Self {
        self.sign = Some(("output", text.to_owned()));
        self
    }

    /// It makes a TUN device of this name, and is ready once that is up.
    pub fn ready_when_tun_is_up(mut self, tun: &str) -> Self {
        self.sign = Some(("tun", "up".to_owned()));
        self.set("tun", tun)
    }

    /// How long it may take to be ready: ten seconds where nothing is said.
    pub fn ready_within(mut self, time: Duration) -> Self {
        self.within = Some(time);
        self
    }

    /// It may end by itself. Of any other program that fails what is expected next.
    pub fn may_end(self) -> Self {
        self.set("may-end", true)
    }

    /// Any other key of a program, as the scenario format has it.
    pub fn set(mut self, key: &str, value: impl IntoValue) -> Self {
        self.program.insert(key.to_owned(), value.into_value());
        self
    }

    pub(in crate::api) fn into_table(mut self) -> Table {
        if let Some((sign, value)) = self.sign {
            let within = self
                .within
                .map(|time| ("within".to_owned(), time.into_value()));
            let sign = (sign.to_owned(), value.into_value());
            let ready = Table::from_iter(std::iter::once(sign).chain(within));
            self.program.insert("ready".to_owned(), Value::Table(ready));
        }
        self.program
    }
}
