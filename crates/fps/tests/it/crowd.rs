//! Many carriers of one client.

use std::time::Duration;

use crate::site::{Member, Site, UUIDS, next, socket};

/// How much memory a program may have with a hundred, in KiB.
pub(crate) const MOST_KIB: u64 = 30 << 10;
const AT_SERVER: &str = "10.66.0.1:5000";
/// What a packet carries.
const PAYLOAD: [u8; 1300] = [0x5a; 1300];

/// How long it takes at most until all of them carry: a thousand times TLS in a build that is not
/// optimised, by both cores of a busy machine.
const HANDSHAKES: Duration = Duration::from_secs(180);

/// A client whose application has so many connections, when all of them carry.
pub(crate) fn many(site: &mut Site, carriers: usize) -> Member {
    let count = carriers.to_string();
    let options = [
        "--sessions",
        &count,
        "--frames-per-second",
        "1",
        "--rate-bytes",
        "64",
    ];
    let patient = ["--echo-timeout-ms", "180000", "--reconnect-min-ms", "60000"];
    let mut program = site.start_client(0, UUIDS[0]);
    let application = site.start_application(0, &[&options[..], &patient[..]].concat());
    // The last to come has this line.
    let parts = ["event=carrier_registered", &format!(" carriers={count}")];
    for program in [&mut site.server, &mut program] {
        program.wait_longer_for(&parts, HANDSHAKES);
    }
    if !program.said().contains("event=tun_auto_configured") {
        program.wait_for(&["event=tun_auto_configured"]);
    }
    Member {
        program,
        application,
        lease: "10.66.0.2".to_owned(),
    }
}

/// Packets of many flows there and back, and how much both programs have at most meanwhile.
pub(crate) fn under_traffic(site: &Site, member: &Member, rounds: usize) -> (u64, u64) {
    const FLOWS: usize = 50;
    let server = socket(&site.far, AT_SERVER);
    let flows: Vec<_> = (0..FLOWS)
        .map(|_| socket(&site.near[0], &format!("{}:0", member.lease)))
        .collect();
    let (mut client_kib, mut server_kib) = (0, 0);
    for _ in 0..rounds {
        for flow in &flows {
            flow.send_to(&PAYLOAD, AT_SERVER).expect("the TUN takes it");
        }
        for _ in &flows {
            let (payload, from) = next(&server);
            server.send_to(&payload, from).expect("the TUN takes it");
        }
        flows
            .iter()
            .for_each(|flow| assert_eq!(next(flow).0, PAYLOAD));
        client_kib = client_kib.max(member.program.resident_kib());
        server_kib = server_kib.max(site.server.resident_kib());
    }
    (client_kib, server_kib)
}
