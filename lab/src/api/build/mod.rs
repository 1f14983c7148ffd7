//! What is to stand.
//!
//! - [`LabBuilder`]: nets, hosts, programs, the tunnel
//! - [`HostBuilder`], [`ProgramBuilder`], [`TunnelBuilder`]: one of them

mod host;
mod lab;
mod program;
mod tunnel;

use toml::{Table, Value};

pub use host::HostBuilder;
pub use lab::LabBuilder;
pub use program::ProgramBuilder;
pub use tunnel::TunnelBuilder;

/// The table under a key, made where there is none; none where there is another value.
fn table<'a>(of: &'a mut Table, key: &str) -> Option<&'a mut Table> {
    let empty = || Value::Table(Table::new());
    of.entry(key).or_insert_with(empty).as_table_mut()
}

/// Puts one table into another: tables key by key, all else as it is.
fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(into)), Value::Table(from)) => merge(into, from),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}

/// Appends to a list, which a single value becomes.
fn push(into: &mut Table, key: &str, value: Value) {
    match into.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
        Value::Array(values) => match value {
            Value::Array(more) => values.extend(more),
            value => values.push(value),
        },
        single => *single = Value::Array(vec![single.clone(), value]),
    }
}
