//! What is done in a lab. Each of these is an act of the scenario format; where one has more keys than
//! there are methods, `set` takes them, and an act that is not here at all is given as text.

use super::IntoValue;
use super::phrase::{IntoAct, phrase, phrases};

/// Starts, stops or kills programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "it is nothing but words until a lab is given it"]
pub struct Call {
    verb: &'static str,
    who: String,
}

/// Starts the tunnel's programs (`"tunnel"`), one of them (`"client"`, `"server"`, `"origin"`,
/// `"carrier"`) or a program of the lab, and waits until it is ready.
pub fn start(who: &str) -> Call {
    Call::new("start", who)
}

/// Ends them with SIGTERM; also `"routes"`, the route engine wherever it watches.
pub fn stop(who: &str) -> Call {
    Call::new("stop", who)
}

/// Ends them with SIGKILL.
pub fn kill(who: &str) -> Call {
    Call::new("kill", who)
}

impl Call {
    fn new(verb: &'static str, who: &str) -> Self {
        let who = who.to_owned();
        Self { verb, who }
    }
}

impl IntoAct for Call {
    fn into_act(self) -> String {
        phrase(self.verb, self.who.into_value())
    }
}

phrases! {
    /// A call of the route engine.
    Routes "routes" as an_act {
        /// Has the route engine apply what is said here, on a host.
        fn routes(on: &str => "on");
        /// The addresses of the TUN device, with prefix lengths.
        fn tun_address(addresses: impl IntoValue) => "tun-address" = addresses;
        /// The MTU of the TUN device.
        fn mtu(bytes: u32) => "mtu" = bytes;
        /// The subnets that go into the tunnel.
        fn route(subnets: impl IntoValue) => "route" = subnets;
        /// The server, which is reached beside the tunnel.
        fn endpoint(targets: impl IntoValue) => "endpoint" = targets;
        /// In a full tunnel, the networks of its links stay beside the tunnel.
        fn keep_lan() => "keep-lan" = true;
        /// The name servers behind the tunnel.
        fn dns(servers: impl IntoValue) => "dns" = servers;
        /// The domains for which they are asked.
        fn dns_domain(domains: impl IntoValue) => "dns-domain" = domains;
        /// It stays, and keeps true what is said here, until `stop("routes")`.
        fn watch() => "action" = "watch";
        /// It takes away what it has set.
        fn cleanup() => "action" = "cleanup";
        /// It says in what the kernel differs.
        fn verify() => "action" = "verify";
        /// The exit code that it must have; 0 where nothing is said.
        fn exit(code: u8) => "exit" = code;
    }

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

    /// A sysctl.
    Sysctl "sysctl" as an_act {
        /// Writes a sysctl below `net` on a host.
        fn sysctl(on: &str => "on", key: &str => "key", value: impl IntoValue => "value");
    }

    /// A route by hand.
    Route "route" as an_act {
        /// `ip route add` on a host.
        fn route(on: &str => "on", to: &str => "to");
        /// Its gateway.
        fn via(gateway: impl IntoValue) => "via" = gateway;
        /// Its link.
        fn link(link: &str) => "link" = link;
        /// Its metric.
        fn metric(metric: u32) => "metric" = metric;
        /// The number of its table, if that is not table main.
        fn table(table: u32) => "table" = table;
        /// `ip route del` in place of `add`.
        fn delete() => "action" = "delete";
    }
}

impl Routes {
    /// A full tunnel: all but what carries this mark, which the carrier's own sockets have.
    pub fn full_tunnel_except(self, mark: u32) -> Self {
        self.set("full-tunnel", true).set("except-fwmark", mark)
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
