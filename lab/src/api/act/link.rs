//! Links.

use crate::api::IntoValue;
use crate::api::phrase::{IntoAct, phrase, phrases};

phrases! {
    /// A link that leaves one net and comes into another.
    Roam "roam" as an_act {
        /// Takes a link of a host into another net, at this address, or these.
        fn roam(on: &str => "on", link: &str => "link", to: &str => "to", ip: impl IntoValue => "ip");
        /// The default gateways there.
        fn via(gateways: impl IntoValue) => "via" = gateways;
        /// The metric of its routes.
        fn metric(metric: u32) => "metric" = metric;
    }

    /// A link that is bad.
    Impair "impair" as an_act {
        /// Makes a link of a host bad, in the ways that are said here.
        fn impair(on: &str => "on", link: &str => "link");
        /// How long each frame takes.
        fn delay(time: std::time::Duration) => "delay" = time;
        /// By how much that varies.
        fn jitter(time: std::time::Duration) => "jitter" = time;
        /// The share of frames that is lost, such as `"2.5%"`.
        fn loss(share: &str) => "loss" = share;
        /// The bits that go in a second, such as `"10mbit"`.
        fn rate(bits: &str) => "rate" = bits;
        /// The MTU of both ends.
        fn mtu(bytes: u32) => "mtu" = bytes;
        /// It is good again.
        fn clear() => "clear" = true;
    }

    /// A link that is called otherwise from now on.
    Rename "link" as an_act {
        /// `ip link set name` on a host: all that comes later uses the new name.
        fn rename(on: &str => "on", link: &str => "link", name: &str => "rename");
    }

    /// A lease before it is due.
    Dhcp "dhcp" as an_act {
        /// The DHCP client of a link does this: `"renew"`, `"rebind"`, `"release"` or `"discover"`.
        fn dhcp(on: &str => "on", link: &str => "link", what: &str => "do");
        /// What it does with its address when it prolongs its lease, from now on.
        fn renewal(how: &str) => "renewal" = how;
    }
}

/// A change of a link's state.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it is nothing but words until a lab is given it"]
pub struct LinkState {
    on: String,
    link: String,
    state: &'static str,
}

/// Takes the cable out: the carrier is lost, the link stays up.
pub fn unplug(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "unplugged")
}

/// Puts the cable back in.
pub fn plug(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "plugged")
}

/// `ip link set down`.
pub fn link_down(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "down")
}

/// `ip link set up`, with the link's addresses and routes restored.
pub fn link_up(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "up")
}

/// `ip link del`: both its ends are gone.
pub fn link_delete(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "deleted")
}

/// Made again where it was, with another index.
pub fn link_recreate(on: &str, link: &str) -> LinkState {
    LinkState::new(on, link, "recreated")
}

impl LinkState {
    fn new(on: &str, link: &str, state: &'static str) -> Self {
        let (on, link) = (on.to_owned(), link.to_owned());
        Self { on, link, state }
    }
}

impl IntoAct for LinkState {
    fn into_act(self) -> String {
        let Self { on, link, state } = self;
        let state = state.to_owned();
        let keys = [("on", on), ("link", link), ("state", state)];
        let keys = keys.map(|(key, value)| (key.to_owned(), value.into_value()));
        phrase("link", toml::Value::Table(toml::Table::from_iter(keys)))
    }
}
