//! systemd-resolved, over D-Bus.

use std::env;
use std::net::IpAddr;
use std::path::PathBuf;

use fps_netlink::LinkName;
use nix::net::if_::if_nametoindex;
use serde::Serialize;
use zbus::message::Message;
use zbus::wire::{OwnedObjectPath, OwnedVariant};
use zbus::{Connection, DynamicType};

use super::bus::Bus;
use super::{DnsBackend, DnsError, Trace};
use crate::{Dns, DnsChange, DnsDomain, DnsServer};

/// Its name on the bus.
const RESOLVED: &str = "org.freedesktop.resolve1";
/// Its manager, and the interface of that (org.freedesktop.resolve1(5)).
const MANAGER: (&str, &str) = (
    "/org/freedesktop/resolve1",
    "org.freedesktop.resolve1.Manager",
);
/// The interface of a link.
const LINK: &str = "org.freedesktop.resolve1.Link";

/// The numbers of address families in the kernel, which go over the bus as they are.
const AF_INET: i32 = nix::libc::AF_INET;
const AF_INET6: i32 = nix::libc::AF_INET6;

/// Where DNS over TLS is served.
const TLS_PORT: u16 = 853;

/// A server on the bus: family, address, port (0 where it is the usual one), name in its certificate.
type WireServer = (i32, Vec<u8>, u16, String);
/// A domain, and whether queries are only routed by it.
type WireDomain = (String, bool);

/// systemd-resolved(8) on the system's bus, which starts it where it can.
#[derive(Clone, Debug)]
pub(crate) struct Resolved(Bus);

impl Resolved {
    /// The one on the system's bus; none where there is no such bus. Whether it is on that, asking tells.
    pub(crate) fn find() -> Option<Self> {
        Bus::find().map(Self)
    }

    /// Has the manager do something.
    fn tell<B>(&self, method: &'static str, body: B) -> Result<(), DnsError>
    where
        B: Serialize + DynamicType + Send + Sync,
    {
        let talk = async |bus: &Connection| manage(bus, method, &body).await.map(drop);
        self.0.converse(talk)
    }
}

impl DnsBackend for Resolved {
    fn settings(&self, device: LinkName) -> Result<Dns, DnsError> {
        let index = index(device)?;
        let (servers, domains, default_route) = self.0.converse(async |bus| {
            let link = manage(bus, "GetLink", &index).await?;
            let link: OwnedObjectPath = link.body().deserialize()?;
            let servers: Vec<WireServer> = property(bus, &link, "DNSEx").await?;
            let domains: Vec<WireDomain> = property(bus, &link, "Domains").await?;
            let default_route: bool = property(bus, &link, "DefaultRoute").await?;
            Ok((servers, domains, default_route))
        })?;
        let servers: Result<_, _> = servers.into_iter().map(server).collect();
        let domains: Result<Vec<_>, _> = domains.into_iter().map(domain).collect();
        let domains = domains?;
        let default_route = Dns::would_take_all(&domains).then_some(default_route);
        Ok(Dns {
            servers: servers?,
            domains,
            default_route,
        })
    }

    fn trace(&self) -> Option<Trace> {
        // For a resolved that has another.
        let other = env::var_os("FPS_ROUTE_RESOLVED_DIR").map(PathBuf::from);
        let folder = other.unwrap_or_else(|| PathBuf::from("/run/systemd/resolve"));
        Some(Trace::Folder(folder))
    }

    fn flush(&self) -> Result<(), DnsError> {
        self.tell("FlushCaches", ())
    }

    fn change(&self, device: LinkName, change: &DnsChange) -> Result<(), DnsError> {
        let index = index(device)?;
        match change {
            DnsChange::Servers(servers) => {
                let servers = servers.iter().map(|server| wire_server(server, device));
                let servers = servers.collect::<Result<Vec<_>, _>>()?;
                self.tell("SetLinkDNSEx", (index, servers))
            }
            DnsChange::Domains(domains) => {
                let domains: Vec<_> = domains.iter().map(wire_domain).collect();
                self.tell("SetLinkDomains", (index, domains))
            }
            DnsChange::DefaultRoute(on) => self.tell("SetLinkDefaultRoute", (index, *on)),
            DnsChange::Revert => self.tell("RevertLink", index),
        }
    }
}

/// The device's number in the network namespace of this thread.
fn index(device: LinkName) -> Result<i32, DnsError> {
    let index = if_nametoindex(device.as_str());
    let index = index.map_err(|errno| DnsError(format!("no {device}: {}", errno.desc())))?;
    i32::try_from(index).map_err(|error| DnsError(format!("{device}: {error}")))
}

/// Calls the manager.
async fn manage<B>(bus: &Connection, method: &str, body: &B) -> zbus::Result<Message>
where
    B: Serialize + DynamicType,
{
    let (path, interface) = MANAGER;
    bus.call_method(Some(RESOLVED), path, Some(interface), method, body)
        .await
}

/// Reads a property of a link.
async fn property<T>(bus: &Connection, link: &OwnedObjectPath, name: &str) -> zbus::Result<T>
where
    T: TryFrom<OwnedVariant, Error = zbus::Error>,
{
    let interface = Some("org.freedesktop.DBus.Properties");
    let answer = bus
        .call_method(Some(RESOLVED), link, interface, "Get", &(LINK, name))
        .await?;
    answer.body().deserialize::<OwnedVariant>()?.try_into()
}

/// A server as it goes over the bus. That has no place for `%LINK`: resolved asks the servers of a link
/// by that link, and `resolvectl dns` refuses any other. Nor for port 853: resolved takes it for none
/// (systemd 252), and chooses between that and 53 by DNSOverTLS=.
fn wire_server(server: &DnsServer, device: LinkName) -> Result<WireServer, DnsError> {
    if let Some(link) = server.link().filter(|link| *link != device) {
        return Err(DnsError(format!(
            "systemd-resolved asks the servers of {device} by {device} alone: leave `%{link}` out of \
             `{server}`"
        )));
    }
    if server.port() == Some(TLS_PORT) {
        return Err(DnsError(format!(
            "systemd-resolved asks at port {TLS_PORT} by itself where its DNSOverTLS= says so: leave \
             `:{TLS_PORT}` out of `{server}`"
        )));
    }
    let (family, bytes) = match server.address() {
        IpAddr::V4(address) => (AF_INET, address.octets().to_vec()),
        IpAddr::V6(address) => (AF_INET6, address.octets().to_vec()),
    };
    let name = server.name().unwrap_or_default().to_owned();
    Ok((family, bytes, server.port().unwrap_or(0), name))
}

fn server((family, bytes, port, name): WireServer) -> Result<DnsServer, DnsError> {
    let v4 = <[u8; 4]>::try_from(bytes.as_slice()).map(IpAddr::from);
    let v6 = <[u8; 16]>::try_from(bytes.as_slice()).map(IpAddr::from);
    let address = match family {
        AF_INET => v4.ok(),
        AF_INET6 => v6.ok(),
        _ => None,
    };
    let unknown = || DnsError(format!("systemd-resolved has a server {family} {bytes:?}"));
    let address = address.ok_or_else(unknown)?;
    let port = (port != 0).then_some(port);
    let name = (!name.is_empty()).then_some(name);
    DnsServer::new(address, port, name.as_deref()).map_err(|_| unknown())
}

fn wire_domain(domain: &DnsDomain) -> WireDomain {
    (domain.name().to_owned(), domain.only_routes())
}

fn domain((name, only_routes): WireDomain) -> Result<DnsDomain, DnsError> {
    let tilde = if only_routes { "~" } else { "" };
    let text = format!("{tilde}{}", unescaped(&name));
    let unknown = |_| DnsError(format!("systemd-resolved has a domain `{text}`"));
    text.parse().map_err(unknown)
}

/// What is not ASCII comes back as `\195\188` (`dns_label_escape` in src/shared/dns-domain.c).
fn unescaped(name: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let [first, behind @ ..] = rest {
        let number = behind
            .get(..3)
            .and_then(|digits| str::from_utf8(digits).ok());
        let number = number.filter(|_| *first == b'\\');
        let number = number.and_then(|digits| digits.parse::<u8>().ok());
        bytes.push(number.unwrap_or(*first));
        rest = if number.is_some() {
            &behind[3..]
        } else {
            behind
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> LinkName {
        LinkName::new("fpsc0").unwrap()
    }

    #[test]
    fn a_server_comes_back_as_it_was_sent() {
        for text in [
            "10.66.0.1",
            "10.66.0.1:53",
            "10.66.0.1:5353",
            "FD66::1",
            "[fd66::1]:5353#dns.fps.test",
        ] {
            let sent: DnsServer = text.parse().unwrap();
            let wire = wire_server(&sent, device()).unwrap();
            assert_eq!(server(wire), Ok(sent), "{text}");
        }
    }

    #[test]
    fn a_server_by_another_link_is_refused() {
        let by = |text: &str| wire_server(&text.parse().unwrap(), device());
        assert_eq!(by("fe80::1%fpsc0"), by("fe80::1"));
        let refused = by("fe80::1%eth0").unwrap_err().to_string();
        assert!(
            refused.contains("leave `%eth0` out of `fe80::1%eth0`"),
            "{refused}"
        );
    }

    #[test]
    fn the_port_of_tls_is_refused() {
        let server = "10.66.0.1:853#dns.fps.test".parse().unwrap();
        let refused = wire_server(&server, device()).unwrap_err().to_string();
        assert!(refused.contains("leave `:853` out of"), "{refused}");
    }

    #[test]
    fn a_domain_comes_back_as_it_was_sent() {
        for (text, back) in [
            ("~.", (".", true)),
            ("fps.test", ("fps.test", false)),
            ("~FPS.test.", ("fps.test", true)),
            ("~bücher.test", ("b\\195\\188cher.test", true)),
        ] {
            let sent: DnsDomain = text.parse().unwrap();
            assert_eq!(domain((back.0.to_owned(), back.1)), Ok(sent), "{text}");
        }
    }
}
