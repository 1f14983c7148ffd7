//! Addresses.

use fps_netlink::Address;
use fps_netns::testing::with_namespaces;
use nix::errno::Errno;

use crate::host::Host;

#[test]
fn an_address_is_usable_at_once() {
    with_namespaces("address::an_address_is_usable_at_once", async || {
        let host = Host::new().await;
        let nets = ["10.0.0.1/24", "fd00::1/64"];
        for net in nets {
            let address = Address {
                metric: Some(7),
                ..Address::new(host.br0, net.parse().unwrap())
            };
            host.netlink.add_address(&address).await.unwrap();
            let again = host.netlink.add_address(&address).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EEXIST));
            host.netlink.replace_address(&address).await.unwrap();
            assert!(host.addresses().await.contains(&address), "{net}");
            let bound = host.namespace.within(|| {
                // With duplicate address detection an IPv6 address could not be bound to yet.
                std::net::UdpSocket::bind((address.net.addr(), 0))
            });
            bound.unwrap().unwrap();
        }
        for net in nets {
            let address = Address::new(host.br0, net.parse().unwrap());
            host.netlink.delete_address(&address).await.unwrap();
            let again = host.netlink.delete_address(&address).await.unwrap_err();
            assert_eq!(again.errno(), Some(Errno::EADDRNOTAVAIL));
        }
        assert_eq!(host.addresses().await, []);
    });
}
