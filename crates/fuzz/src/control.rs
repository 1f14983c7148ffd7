//! Leases and the other messages about a session: one that is read is written to the same bytes, and
//! what is written is read.
//!
//! Input: one byte that says what, and its bytes or its values.

use std::net::Ipv4Addr;

use fps_wire::control::{
    ClientInstance, DirectionShape, Distribution, InvalidMessage, Lease, ShaperSnapshot,
};

use crate::input::Input;
use crate::seed::Seed;
use crate::vectors::{self, bytes, each};

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    match input.byte() % 3 {
        0 => read(input.rest()),
        1 => lease(&mut input),
        _ => snapshot(&mut input),
    }
}

/// At most one of them can be read from bytes.
fn read(message: &[u8]) -> bool {
    let lease = Lease::read(message);
    let instance = ClientInstance::read(message);
    let snapshot = ShaperSnapshot::read(message);
    if let Ok(lease) = lease {
        assert_eq!(lease.to_bytes(), message);
        assert!((2..=30).contains(&lease.prefix_len) && lease.mtu > 0);
    }
    if let Ok(instance) = instance {
        assert_eq!(instance.to_bytes(), message);
    }
    if let Ok(snapshot) = &snapshot {
        assert_eq!(snapshot.to_bytes().as_deref(), Ok(message));
        assert!(is_valid(snapshot));
    }
    let found = [lease.is_ok(), instance.is_ok(), snapshot.is_ok()];
    let found = found.into_iter().filter(|found| *found).count();
    assert!(found <= 1, "it is one message, or another");
    found == 1
}

fn lease(input: &mut Input<'_>) -> bool {
    let mut address = || Ipv4Addr::from(input.long());
    let lease = Lease {
        client: address(),
        server: address(),
        network: address(),
        prefix_len: input.byte(),
        mtu: input.short(),
    };
    let valid = (2..=30).contains(&lease.prefix_len) && lease.mtu > 0;
    let mut message = lease.to_bytes();
    let expected = if valid {
        Ok(lease)
    } else {
        Err(InvalidMessage::Payload)
    };
    assert_eq!(Lease::read(&message), expected);
    message[1] ^= input.byte();
    let again = Lease::read(&message);
    assert!(again == expected || message[1] != 1, "of another version");
    let shorter = Lease::read(&message[1..]);
    assert_eq!(shorter, Err(InvalidMessage::Payload));
    valid
}

fn snapshot(input: &mut Input<'_>) -> bool {
    let profile_id = String::from_utf8_lossy(input.some()).into_owned();
    let mut shape = || DirectionShape {
        observed: input.long().into(),
        sizes: distribution(input),
        delays: distribution(input),
    };
    let snapshot = ShaperSnapshot {
        to_server: shape(),
        to_client: shape(),
        profile_id,
    };
    let written = snapshot.to_bytes();
    assert_eq!(written.is_ok(), is_valid(&snapshot));
    let Ok(message) = written else {
        return false;
    };
    assert_eq!(ShaperSnapshot::read(&message), Ok(snapshot));
    let (_, shorter) = message.split_last().expect("not empty");
    assert!(ShaperSnapshot::read(shorter).is_err());
    let longer = [&message[..], &[0]].concat();
    assert!(ShaperSnapshot::read(&longer).is_err());
    true
}

fn distribution(input: &mut Input<'_>) -> Distribution {
    let steps = 0..input.short() % 260;
    Distribution(
        steps
            .map(|_| (input.short().into(), input.long()))
            .collect(),
    )
}

fn is_valid(snapshot: &ShaperSnapshot) -> bool {
    let shapes = [&snapshot.to_server, &snapshot.to_client];
    let all = shapes.into_iter().flat_map(|it| [&it.sizes, &it.delays]);
    let valid = |steps: &[(u32, u32)]| {
        let step = |(bound, share): &(u32, u32)| *bound >= 1 && *share <= 1_000_000;
        !steps.is_empty() && steps.len() <= 256 && steps.iter().all(step)
    };
    snapshot.profile_id.len() <= 255 && all.map(|it| &it.0[..]).all(valid)
}

/// The recorded messages, and some that are written.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    let set = vectors::control();
    let message = |given| [&[0][..], &bytes(given, "payload")].concat();
    for kind in ["lease", "client_instance", "shaper_snapshot"] {
        let written = each(&set, &format!("{kind}_encode")).iter();
        seeds.extend(written.map(|given| Seed::deep(message(given))));
        let read = each(&set, &format!("{kind}_decode")).iter();
        seeds.extend(read.map(|given| Seed::any(message(given))));
    }
    let addresses = [10, 66, 0, 2, 10, 66, 0, 1, 10, 66, 0, 0];
    seeds.push(Seed::deep([&[1][..], &addresses, &[30, 5, 0]].concat()));
    let shape = [0, 0, 0, 9, 0, 1, 0, 99, 0, 0, 0, 7, 0, 1, 0, 99, 0, 0, 0, 7];
    seeds.push(Seed::deep(
        [&[2, 0, 2, b'p', b'5'][..], &shape, &shape].concat(),
    ));
    seeds
}
