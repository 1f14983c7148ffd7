//! An act or an expectation as text of the scenario format.

use toml::{Table, Value};

/// Something that can be done: one of [`act`](super::act), or the text of any act of the scenario
/// format, such as `"impair = { on = \"laptop\", link = \"wlan0\", loss = \"5%\" }"`.
pub trait IntoAct {
    /// As a scenario file has it.
    fn into_act(self) -> String;
}

/// Something that must hold: one of [`expect`](super::expect), or the text of any expectation of the
/// scenario format, such as `"reach = { from = \"laptop\", to = \"web\" }"`.
pub trait IntoExpectation {
    /// As a scenario file has it.
    fn into_expectation(self) -> String;
}

macro_rules! from_text {
    ($($type:ty),*) => {
        $(impl IntoAct for $type {
            fn into_act(self) -> String {
                braced(&self)
            }
        }

        impl IntoExpectation for $type {
            fn into_expectation(self) -> String {
                braced(&self)
            }
        })*
    };
}

from_text!(&str, &String, String);

/// The braces are understood.
fn braced(text: &str) -> String {
    let text = text.trim();
    match text.starts_with('{') {
        true => text.to_owned(),
        false => format!("{{ {text} }}"),
    }
}

/// A verb and what it says.
pub(super) fn phrase(verb: &str, value: Value) -> String {
    Value::Table(Table::from_iter([(verb.to_owned(), value)])).to_string()
}

/// Makes a type of what a person would write, with a function that begins one and a method for each
/// key that it may have.
macro_rules! phrases {
    ($(
        $(#[$doc:meta])*
        $kind:ident $verb:literal as $role:ident {
            $(#[$function_doc:meta])*
            fn $function:ident($($argument:ident: $argument_type:ty => $argument_key:literal),*);
            $(
                $(#[$method_doc:meta])*
                fn $method:ident($($value:ident: $value_type:ty)?) => $key:literal = $given:expr;
            )*
        }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Debug, PartialEq)]
            #[must_use = "it is nothing but words until a lab is given it"]
            pub struct $kind(toml::Table);

            $(#[$function_doc])*
            pub fn $function($($argument: $argument_type),*) -> $kind {
                $kind(toml::Table::from_iter([
                    $(($argument_key.to_owned(), $crate::api::IntoValue::into_value($argument)),)*
                ]))
            }

            impl $kind {
                $(
                    $(#[$method_doc])*
                    pub fn $method(self $(, $value: $value_type)?) -> Self {
                        self.set($key, $given)
                    }
                )*

                /// Any other key of the scenario format.
                pub fn set(mut self, key: &str, value: impl $crate::api::IntoValue) -> Self {
                    self.0.insert(key.to_owned(), value.into_value());
                    self
                }
            }

            $crate::api::phrase::$role!($kind, $verb);
        )*
    };
}

macro_rules! an_act {
    ($kind:ident, $verb:literal) => {
        impl $crate::api::IntoAct for $kind {
            fn into_act(self) -> String {
                $crate::api::phrase::phrase($verb, toml::Value::Table(self.0))
            }
        }
    };
}

macro_rules! an_expectation {
    ($kind:ident, $verb:literal) => {
        impl $crate::api::IntoExpectation for $kind {
            fn into_expectation(self) -> String {
                $crate::api::phrase::phrase($verb, toml::Value::Table(self.0))
            }
        }
    };
}

/// The keys of a probe.
macro_rules! probe {
    ($($kind:ident),*) => {
        $(impl $kind {
            /// By ICMP echo, which is so where nothing is said.
            pub fn icmp(self) -> Self {
                self.set("with", "icmp")
            }

            /// By TCP, to the only port that the target serves so.
            pub fn tcp(self) -> Self {
                self.set("with", "tcp")
            }

            /// By UDP, to the only port that the target serves so.
            pub fn udp(self) -> Self {
                self.set("with", "udp")
            }

            /// With a GET of HTTP/1.1.
            pub fn http(self) -> Self {
                self.set("with", "http")
            }

            /// To this port.
            pub fn port(self, port: u16) -> Self {
                self.set("port", port)
            }

            /// To the target's IPv4 address.
            pub fn v4(self) -> Self {
                self.set("ip", "v4")
            }

            /// To the target's IPv6 address.
            pub fn v6(self) -> Self {
                self.set("ip", "v6")
            }

            /// From this address.
            pub fn source(self, address: impl $crate::api::IntoValue) -> Self {
                self.set("source", address)
            }

            /// From a socket with this mark (`SO_MARK`).
            pub fn mark(self, mark: u32) -> Self {
                self.set("mark", mark)
            }
        })*
    };
}

/// A deadline.
macro_rules! within {
    ($($kind:ident),*) => {
        $(impl $kind {
            /// It must come true within this time.
            pub fn within(self, time: std::time::Duration) -> Self {
                self.set("within", time)
            }

            /// It must come true within so many seconds.
            pub fn within_secs(self, seconds: u64) -> Self {
                self.within(std::time::Duration::from_secs(seconds))
            }

            /// It must come true within so many milliseconds.
            pub fn within_ms(self, millis: u64) -> Self {
                self.within(std::time::Duration::from_millis(millis))
            }
        })*
    };
}

/// A time in which it holds.
macro_rules! lasting {
    ($($kind:ident),*) => {
        $(impl $kind {
            /// It must hold all this time.
            pub fn lasting(self, time: std::time::Duration) -> Self {
                self.set("for", time)
            }

            /// It must hold for so many seconds.
            pub fn for_secs(self, seconds: u64) -> Self {
                self.lasting(std::time::Duration::from_secs(seconds))
            }

            /// It must hold for so many milliseconds.
            pub fn for_ms(self, millis: u64) -> Self {
                self.lasting(std::time::Duration::from_millis(millis))
            }
        })*
    };
}

/// A name of its own, under the key that the verb has for it.
macro_rules! named {
    ($key:literal: $($kind:ident),*) => {
        $(impl $kind {
            /// The name that reports call it by, in place of what it says.
            pub fn named(self, name: &str) -> Self {
                self.set($key, name)
            }
        })*
    };
}

pub(super) use {an_act, an_expectation, lasting, named, phrases, probe, within};

/// The verb of an act or expectation.
#[cfg(test)]
pub(super) fn verb(phrase: &str) -> String {
    let table: Table = format!("it = {phrase}").parse().expect("TOML");
    let verbs = table["it"].as_table().expect("a table").keys();
    verbs.cloned().collect::<Vec<_>>().join(" ")
}

/// All verbs of a definition of the schema, sorted.
#[cfg(test)]
pub(super) fn verbs_of_the_format(definition: &str) -> Vec<String> {
    let schema = crate::scenario::schema::Form::Scenario.schema();
    let verbs = schema["definitions"][definition]["properties"].as_object();
    let mut verbs: Vec<String> = verbs.expect("verbs").keys().cloned().collect();
    verbs.sort();
    verbs
}
