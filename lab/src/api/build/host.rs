//! A host that is to stand.

use toml::{Table, Value};

use super::{merge, push, table};
use crate::api::IntoValue;

/// A host: its links, what it serves, how it routes.
#[derive(Clone, Debug, Default)]
#[must_use = "it is returned to the lab's builder"]
pub struct HostBuilder {
    pub(super) host: Table,
    pub(super) mistakes: Vec<String>,
    /// The link that was named last.
    last: Option<String>,
}

impl HostBuilder {
    /// A link into a net, with one address of that net or several; also `"dhcp"` and `"ra"`.
    pub fn link(mut self, name: &str, net: &str, ip: impl IntoValue) -> Self {
        let link = [("net", net.into_value()), ("ip", ip.into_value())];
        let link = Table::from_iter(link.map(|(key, value)| (key.to_owned(), value)));
        if let Some(links) = table(&mut self.host, "link") {
            links.insert(name.to_owned(), Value::Table(link));
        }
        self.last = Some(name.to_owned());
        self
    }

    /// The default gateway of the link that was named last, or one for each family.
    pub fn via(self, gateways: impl IntoValue) -> Self {
        self.of_link("via", gateways)
    }

    /// The metric of the routes of the link that was named last.
    pub fn metric(self, metric: u32) -> Self {
        self.of_link("metric", metric)
    }

    /// Any other key of the link that was named last, as the scenario format has it.
    pub fn of_link(mut self, key: &str, value: impl IntoValue) -> Self {
        let link = self.last.as_ref().and_then(|last| {
            let links = table(&mut self.host, "link")?;
            table(links, last)
        });
        match link {
            Some(link) => drop(link.insert(key.to_owned(), value.into_value())),
            None => self.mistakes.push(format!(
                "`{key}` is of the link that was named last, and there is none: call `link` before"
            )),
        }
        self
    }

    /// It forwards between its links.
    pub fn forward(self) -> Self {
        self.set("forward", true)
    }

    /// It forwards, and what leaves by this link, or these, takes the link's own address.
    pub fn nat(self, links: impl IntoValue) -> Self {
        self.set("nat", links)
    }

    /// A static route beside those of its links.
    pub fn route(mut self, to: &str, via: &str) -> Self {
        let route = [("to", to), ("via", via)];
        let route = route.map(|(key, value)| (key.to_owned(), value.into_value()));
        push(
            &mut self.host,
            "routes",
            vec![Value::Table(Table::from_iter(route))].into(),
        );
        self
    }

    /// It answers on this TCP port, or these, with what it is sent.
    pub fn serve_tcp(self, ports: impl IntoValue) -> Self {
        self.serve("tcp", ports)
    }

    /// It answers on this UDP port, or these, with what it is sent.
    pub fn serve_udp(self, ports: impl IntoValue) -> Self {
        self.serve("udp", ports)
    }

    /// It answers HTTP/1.1 on this port, or these.
    pub fn serve_http(self, ports: impl IntoValue) -> Self {
        self.serve("http", ports)
    }

    /// It answers HTTP/1.1 over TLS on this port, or these, with a certificate of the lab's CA.
    pub fn serve_https(self, ports: impl IntoValue) -> Self {
        self.serve("https", ports)
    }

    fn serve(mut self, protocol: &str, ports: impl IntoValue) -> Self {
        let ports = match ports.into_value() {
            Value::Array(ports) => ports,
            port => vec![port],
        };
        if let Some(serve) = table(&mut self.host, "serve") {
            push(serve, protocol, ports.into());
        }
        self
    }

    /// The name servers of its /etc/resolv.conf, by hand.
    pub fn name_servers(self, servers: impl IntoValue) -> Self {
        self.set("name-servers", servers)
    }

    /// A DNS server on it has this zone: an apex, and records as lines of a zone file, such as
    /// `"www A 203.0.113.80"`. The zone `"."` has all names that there are.
    pub fn zone(mut self, apex: &str, records: impl IntoValue) -> Self {
        let zones = table(&mut self.host, "dns").and_then(|dns| table(dns, "zone"));
        if let Some(zones) = zones {
            let records = match records.into_value() {
                Value::Array(records) => records,
                record => vec![record],
            };
            zones.insert(apex.to_owned(), records.into());
        }
        self
    }

    /// A DHCP server on one of its links gives these addresses: `"192.168.188.100-192.168.188.150"`.
    pub fn dhcp_server(mut self, link: &str, range: &str) -> Self {
        let server = Table::from_iter([("range".to_owned(), range.into_value())]);
        if let Some(servers) = table(&mut self.host, "dhcp-server") {
            servers.insert(link.to_owned(), server.into());
        }
        self
    }

    /// A file below /etc or /run that only this host has, and only root may read.
    pub fn file(mut self, path: &str, content: &str) -> Self {
        if let Some(files) = table(&mut self.host, "files") {
            files.insert(path.to_owned(), content.into_value());
        }
        self
    }

    /// Any other key of a host, as the scenario format has it.
    pub fn set(mut self, key: &str, value: impl IntoValue) -> Self {
        self.host.insert(key.to_owned(), value.into_value());
        self
    }

    /// What stands in a scenario below `[host.NAME]`.
    pub fn toml(mut self, text: &str) -> Self {
        match text.parse::<Table>() {
            Ok(more) => merge(&mut self.host, more),
            Err(error) => self.mistakes.push(error.to_string()),
        }
        self
    }
}
