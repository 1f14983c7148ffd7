//! What may stand as a value.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use toml::Value;

/// A value of the scenario format: a text, a number, an address, a duration, or a list of such.
pub trait IntoValue {
    /// As TOML has it.
    fn into_value(self) -> Value;
}

impl IntoValue for Value {
    fn into_value(self) -> Value {
        self
    }
}

impl IntoValue for bool {
    fn into_value(self) -> Value {
        self.into()
    }
}

impl IntoValue for f64 {
    fn into_value(self) -> Value {
        self.into()
    }
}

/// Milliseconds, rounded up: the format has nothing finer.
impl IntoValue for Duration {
    fn into_value(self) -> Value {
        let millis = self.as_nanos().div_ceil(1_000_000);
        Value::String(format!("{millis}ms"))
    }
}

macro_rules! as_text {
    ($($type:ty),*) => {
        $(impl IntoValue for $type {
            fn into_value(self) -> Value {
                Value::String(self.to_string())
            }
        })*
    };
}

macro_rules! as_number {
    ($($type:ty),*) => {
        $(impl IntoValue for $type {
            fn into_value(self) -> Value {
                Value::Integer(self.into())
            }
        })*
    };
}

as_text!(&str, &String, String, IpAddr, Ipv4Addr, Ipv6Addr);
as_number!(u8, u16, u32, i32, i64);

impl<T: IntoValue, const N: usize> IntoValue for [T; N] {
    fn into_value(self) -> Value {
        Value::Array(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: IntoValue> IntoValue for Vec<T> {
    fn into_value(self) -> Value {
        Value::Array(self.into_iter().map(IntoValue::into_value).collect())
    }
}

impl<T: IntoValue + Clone> IntoValue for &[T] {
    fn into_value(self) -> Value {
        Value::Array(self.iter().cloned().map(IntoValue::into_value).collect())
    }
}

/// The texts of a value that is one or many.
pub(super) fn texts(value: Value) -> Vec<String> {
    match value {
        Value::Array(values) => values.into_iter().flat_map(texts).collect(),
        Value::String(text) => vec![text],
        other => vec![other.to_string()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_never_shorter_than_it_was() {
        let text = |duration: Duration| duration.into_value();
        assert_eq!(text(Duration::from_secs(2)), Value::String("2000ms".into()));
        assert_eq!(text(Duration::from_micros(1)), Value::String("1ms".into()));
    }
}
