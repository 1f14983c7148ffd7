//! Values that are kept as they are typed.

/// Makes a type serialize as its text, and deserialize by the same checks as on the command line.
macro_rules! serialize_as_text {
    ($($type:ty),+) => {$(
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    )+};
}

pub(crate) use serialize_as_text;

/// Many values as one text, between spaces. There may be 100 000, and one text for each takes twice
/// the time.
pub(crate) mod joined {
    use std::borrow::Cow;
    use std::fmt::{Display, Write};
    use std::str::FromStr;

    use serde::{Deserialize, Deserializer, Serializer, de};

    pub(crate) fn serialize<T: Display, S: Serializer>(
        values: &[T],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut text = String::with_capacity(values.len() * 16);
        for value in values {
            let between = if text.is_empty() { "" } else { " " };
            write!(text, "{between}{value}").expect("a String grows");
        }
        serializer.serialize_str(&text)
    }

    pub(crate) fn deserialize<'de, T: FromStr<Err: Display>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<T>, D::Error> {
        let text = <Cow<'de, str>>::deserialize(deserializer)?;
        let values = text.split(' ').filter(|value| !value.is_empty());
        values
            .map(|value| value.parse().map_err(de::Error::custom))
            .collect()
    }
}
