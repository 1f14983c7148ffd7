//! Calls of the route engine.

use crate::api::IntoValue;
use crate::api::phrase::phrases;

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
}

impl Routes {
    /// A full tunnel: all but what carries this mark, which the carrier's own sockets have.
    pub fn full_tunnel_except(self, mark: u32) -> Self {
        self.set("full-tunnel", true).set("except-fwmark", mark)
    }
}
