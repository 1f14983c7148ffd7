//! What hosts say to others, from now on.

use crate::api::IntoValue;
use crate::api::phrase::phrases;

phrases! {
    /// A DNS server says something else.
    Dns "dns" as an_act {
        /// The DNS server of a host answers from now on as the methods say.
        fn dns(on: &str => "on");
        /// It answers all questions as usual.
        fn as_usual() => "manner" = Vec::<toml::Value>::new();
    }

    /// A DHCP server gives something else.
    DhcpServer "dhcp-server" as an_act {
        /// The DHCP server on a link gives from now on, to who asks, what the methods say.
        fn dhcp_server(on: &str => "on", link: &str => "link");
        /// The addresses: `"192.168.188.100-192.168.188.150"`.
        fn range(addresses: &str) => "range" = addresses;
    }

    /// A router advertises something else.
    Advertise "advertise" as an_act {
        /// The router on a link advertises, at once and from now on, what `set` says.
        fn advertise(on: &str => "on", link: &str => "link");
    }
}

impl Dns {
    /// A zone in place of the one with the same apex: records as lines of a zone file.
    pub fn zone(self, apex: &str, records: impl IntoValue) -> Self {
        let records = match records.into_value() {
            toml::Value::Array(records) => records,
            record => vec![record],
        };
        self.within("zone", |zones| {
            drop(zones.insert(apex.to_owned(), records.into()))
        })
    }

    /// It `"refuses"`, `"fails"`, `"ignores"` or `"truncates"` questions for a name and all below it.
    pub fn manner(mut self, name: &str, does: &str) -> Self {
        let manners = self
            .0
            .entry("manner")
            .or_insert(toml::Value::Array(Vec::new()));
        if let Some(manners) = manners.as_array_mut() {
            let keys = [("name", name), ("does", does)];
            let keys = keys.map(|(key, value)| (key.to_owned(), value.into_value()));
            manners.push(toml::Table::from_iter(keys).into());
        }
        self
    }

    fn within(mut self, key: &str, change: impl FnOnce(&mut toml::Table)) -> Self {
        let table = self.0.entry(key).or_insert(toml::Table::new().into());
        if let Some(table) = table.as_table_mut() {
            change(table);
        }
        self
    }
}
