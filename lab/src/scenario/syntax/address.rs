//! Addresses and subnets.

use std::net::IpAddr;

use ipnet::IpNet;

use super::{Node, Word};
use crate::scenario::diagnostic::Diagnostic;

impl Node<'_> {
    /// An IP address without a prefix length.
    pub(crate) fn address(self) -> Option<IpAddr> {
        self.word()?.address()
    }

    /// An address with its prefix length; it may have host bits.
    pub(crate) fn interface_address(self) -> Option<IpNet> {
        self.word()?.prefix()
    }

    /// A subnet: an address with its prefix length and without host bits.
    pub(crate) fn subnet(self) -> Option<IpNet> {
        let word = self.word()?;
        let net = word.prefix()?;
        if net == net.trunc() {
            return Some(net);
        }
        let wrong = word.wrong(format!("{net} is an address in a subnet, not a subnet"));
        word.refuse(wrong.label(format!("the subnet is `{}`", net.trunc())))
    }
}

impl Word<'_> {
    /// An IP address without a prefix length.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        if let Ok(address) = self.text.parse::<IpAddr>() {
            return Some(address);
        }
        let wrong = self.wrong(format!("`{}` is no IP address", self.text));
        self.refuse(match self.text.parse::<IpNet>() {
            Ok(net) => wrong.label(format!("write `{}`, without a prefix length", net.addr())),
            Err(_) => self.explain(wrong),
        })
    }

    fn prefix(&self) -> Option<IpNet> {
        if let Ok(net) = self.text.parse::<IpNet>() {
            return Some(net);
        }
        let wrong = self.wrong(format!("`{}` is no subnet", self.text));
        if self.text == "default" {
            return self.refuse(wrong.label("write `0.0.0.0/0` or `::/0`"));
        }
        let (ip, length) = self.text.split_once('/').unwrap_or((self.text, ""));
        let Ok(ip) = ip.parse::<IpAddr>() else {
            return self.refuse(Word { text: ip, ..*self }.explain(wrong));
        };
        let (usual, most) = if ip.is_ipv4() { (24, 32) } else { (64, 128) };
        self.refuse(if self.text.contains('/') {
            self.wrong(format!("`{length}` is no prefix length"))
                .label(format!("from 0 to {most}"))
        } else {
            self.wrong(format!("`{ip}` has no prefix length"))
                .help(format!(
                    "write `{ip}/{most}` for this address alone, or the length of its subnet, such as `/{usual}`"
                ))
        })
    }

    /// Says why a text is no address.
    fn explain(&self, wrong: Diagnostic) -> Diagnostic {
        let text = self.text;
        let octets: Vec<&str> = text.split('.').collect();
        let numbers = octets
            .iter()
            .all(|octet| !octet.is_empty() && is_digits(octet));
        if numbers && octets.len() != 4 {
            return wrong.label(format!("it has {} numbers, and IPv4 has 4", octets.len()));
        }
        let large = octets.iter().find(|octet| octet.parse::<u8>().is_err());
        if let Some(octet) = large.filter(|_| numbers) {
            return wrong.label(format!("`{octet}` is over 255"));
        }
        if numbers {
            return wrong.label("a number begins with 0");
        }
        wrong.label("neither IPv4 nor IPv6")
    }
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|c| c.is_ascii_digit())
}
