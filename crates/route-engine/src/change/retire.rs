//! What an earlier apply set and this one does not want.

use fps_netlink::{Address, Link};
use ipnet::IpNet;

use super::{Change, Needed};
use crate::{Intent, KernelState, Operation, Ownership, TunAddress};

/// Takes away the addresses that we gave the device and that are no longer wanted, so that routes
/// into it stay.
///
/// With its last IPv4 address a device loses all its IPv4 routes (`fib_disable_ip`), and with the
/// first of a subnet all others of that subnet, unless `promote_secondaries` is set (`__inet_del_ifa`
/// in net/ipv4/devinet.c). So the new address is there first; and where it is of the same subnet, it
/// is held once more, as a subnet of its own, until it is back.
pub(super) fn addresses(
    intent: &Intent,
    state: &KernelState,
    ownership: &Ownership,
    tun: &Link,
    needed: &mut Needed,
) {
    let gone = ownership
        .addresses
        .iter()
        .filter(|address| !intent.addresses().contains(address));
    for &address in gone {
        let old = Address::new(tun.index, address.net());
        if !state.holds_address(&old) {
            continue;
        }
        let stay = intent.addresses().iter().copied();
        let stay: Vec<_> = stay.filter(|&stay| shares_subnet(stay, address)).collect();
        let holder = stay.first().map(|stay| single(*stay, tun));
        let device = tun.name;
        let reason = needed.leave_for(Operation::DeleteAddress { address, device });
        let kept = stay.iter().map(|stay| Address::new(tun.index, stay.net()));
        let changes = holder
            .iter()
            .cloned()
            .map(Change::AddAddress)
            .chain([Change::DeleteAddress(old)])
            .chain(kept.map(Change::KeepAddress))
            .chain(holder.iter().cloned().map(Change::DeleteAddress));
        needed
            .steps
            .extend(changes.map(|change| change.because(reason)));
    }
}

/// Whether one goes with the other: of IPv4, where subnet and prefix length are the same.
fn shares_subnet(one: TunAddress, other: TunAddress) -> bool {
    let (one, other) = (one.net(), other.net());
    one.addr().is_ipv4() && one.prefix_len() < 32 && one.trunc() == other.trunc()
}

fn single(address: TunAddress, tun: &Link) -> Address {
    Address::new(tun.index, IpNet::from(address.net().addr()))
}
