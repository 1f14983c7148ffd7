//! Clients with leases: who reaches whom, and who does not.

use std::process::Command;

use fps_netns::testing::with_namespaces;
use nix::sys::signal::Signal;
use serde_json::Value;
use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::host::Host;
use crate::programs::{DEADLINE, UUID};
use crate::site::{SERVER, Site, UUIDS, next, socket};

const AT_SERVER: &str = "10.66.0.1:5000";
/// An application that stays away once its connection has ended.
const ONCE: [&str; 2] = ["--reconnect-min-ms", "3600000"];

/// The kernel at the other end answers this (icmp(7), ping sockets).
fn ping(host: &Host, source: &str, to: &str) -> bool {
    host.set_sysctl("net/ipv4/ping_group_range", "0 0");
    let socket = host.within(|| Socket::new(Domain::IPV4, Type::DGRAM, Some(Protocol::ICMPV4)));
    let socket = socket.expect("the group may ping");
    let address =
        |ip: &str| SockAddr::from(format!("{ip}:0").parse::<std::net::SocketAddr>().unwrap());
    socket
        .bind(&address(source))
        .expect("an address of the host");
    socket.set_read_timeout(Some(DEADLINE)).expect("valid");
    socket
        .send_to(b"\x08\0\0\0\0\0\0\x01marked", &address(to))
        .expect("there is a route");
    let mut answer = [std::mem::MaybeUninit::uninit(); 64];
    matches!(socket.recv(&mut answer), Ok(14))
}

#[test]
fn each_client_has_an_address_of_its_own_and_reaches_the_server() {
    with_namespaces(
        "leases::each_client_has_an_address_of_its_own_and_reaches_the_server",
        async || {
            let mut site = Site::new(2, "").await;
            let server = socket(&site.far, AT_SERVER);
            let mut members = Vec::new();
            for (client, uuid) in UUIDS.into_iter().enumerate() {
                let member = site.join(client, uuid, &[]);
                let host = &site.near[client];
                let link = host.link("fpsc0").await;
                assert!(link.up && link.mtu == 1400, "{link:?}");
                let addresses = host.netlink.addresses(Some(link.index)).await.unwrap();
                let nets: Vec<_> = addresses.iter().map(|it| it.net.to_string()).collect();
                assert_eq!(nets, [format!("{}/24", member.lease)]);
                // Bound to nothing: the route alone chooses the TUN and its address.
                let near = socket(host, "0.0.0.0:0");
                near.send_to(b"question", AT_SERVER)
                    .expect("the TUN has the route");
                let (question, from) = next(&server);
                assert_eq!(
                    (&question[..], from.ip().to_string()),
                    (&b"question"[..], member.lease.clone())
                );
                server.send_to(b"answer", from).expect("the way back");
                assert_eq!(next(&near).0, b"answer");
                assert!(ping(host, &member.lease, SERVER), "no echo");
                let status = site.status(&format!("client-{client}"));
                assert_eq!(status["tun"]["leased_client_address"], *member.lease);
                members.push(member);
            }
            let leases: Vec<_> = members.iter().map(|member| &*member.lease).collect();
            assert_eq!(leases, ["10.66.0.2", "10.66.0.3"]);
            assert_eq!(site.status("server")["tun"]["leases_persisted"], 2);
        },
    );
}

/// Ten packets from one client to the other, then one to the server; says how many the other has got,
/// and how many the server has dropped for it.
async fn between_clients(more: &str) -> (usize, u64) {
    let mut site = Site::new(2, more).await;
    let server = socket(&site.far, AT_SERVER);
    let one = site.join(0, UUIDS[0], &[]);
    let two = site.join(1, UUIDS[1], &[]);
    let from = socket(&site.near[0], &format!("{}:5000", one.lease));
    let to = socket(&site.near[1], &format!("{}:5000", two.lease));
    for _ in 0..10 {
        from.send_to(b"to the other", format!("{}:5000", two.lease))
            .expect("the TUN takes it");
    }
    // One carrier keeps the order, so with this one the server has seen them all.
    from.send_to(b"to the server", AT_SERVER)
        .expect("the TUN takes it");
    assert_eq!(next(&server).0, b"to the server");
    // And whatever of them was let through is before this one.
    server
        .send_to(b"last", format!("{}:5000", two.lease))
        .expect("the TUN takes it");
    let mut arrived = 0;
    while next(&to).0 != b"last" {
        arrived += 1;
    }
    let status = site.status("server");
    let drops = &status["tun"]["client_isolation_drops"];
    assert_eq!(*drops, site.dropped("server", "client_isolation"));
    (arrived, drops.as_u64().expect("a number"))
}

#[test]
fn clients_reach_each_other_only_where_they_are_not_isolated() {
    with_namespaces(
        "leases::clients_reach_each_other_only_where_they_are_not_isolated",
        async || {
            assert_eq!(
                between_clients("").await,
                (0, 10),
                "isolated is the default"
            );
            let apart = between_clients(r#""client_isolation": true,"#).await;
            assert_eq!(apart, (0, 10));
            let together = between_clients(r#""client_isolation": false,"#).await;
            assert_eq!(together, (10, 0));
        },
    );
}

#[test]
fn a_forged_source_is_dropped_and_counted() {
    with_namespaces(
        "leases::a_forged_source_is_dropped_and_counted",
        async || {
            let mut site = Site::new(2, "").await;
            let server = socket(&site.far, AT_SERVER);
            let one = site.join(0, UUIDS[0], &[]);
            let two = site.join(1, UUIDS[1], &[]);
            // Of the pool, of another client that is there, and of neither.
            let forged = ["10.66.0.99", &two.lease, "192.0.2.200"];
            for address in forged {
                let host = &site.near[0];
                host.add_address("lo", &format!("{address}/32")).await;
                let from = socket(host, &format!("{address}:5000"));
                from.send_to(b"forged", AT_SERVER)
                    .expect("the TUN takes it");
            }
            let from = socket(&site.near[0], &format!("{}:5000", one.lease));
            from.send_to(b"true", AT_SERVER).expect("the TUN takes it");
            let (first, source) = next(&server);
            assert_eq!(first, b"true", "from {source}");
            assert_eq!(site.dropped("server", "spoofed_source"), 3);
            let events = &site.status("server")["tun"]["tun_tunnel_events"];
            assert_eq!(events["ignored_spoofed_tun_source"], 3);
            site.server.wait_for(&["event=ignored_spoofed_tun_source"]);
            // They came that far: it is not the client that has dropped them.
            assert_eq!(site.status("client-0")["tun"]["packets_to_carriers"], 4);
            assert_eq!(site.status("server")["tun"]["packets_from_carriers"], 4);
            // And who has the address may use it.
            let from = socket(&site.near[1], &format!("{}:5000", two.lease));
            from.send_to(b"its own", AT_SERVER)
                .expect("the TUN takes it");
            assert_eq!(next(&server).0, b"its own");
            assert_eq!(site.dropped("server", "spoofed_source"), 3);
        },
    );
}

#[test]
fn a_second_process_of_an_identity_takes_its_lease_over() {
    with_namespaces(
        "leases::a_second_process_of_an_identity_takes_its_lease_over",
        async || {
            let mut site = Site::new(2, "").await;
            let server = socket(&site.far, AT_SERVER);
            let mut first = site.join(0, UUID, &ONCE);
            // A carrier more of the same process replaces none.
            let _second_carrier = site.start_application(0, &ONCE);
            site.server
                .wait_for(&["event=carrier_registered", "carriers=2"]);
            let sessions = &site.status("server")["sessions"];
            assert_eq!(sessions["duplicate_client_replacements"], 0);
            let second = site.join(1, UUID, &ONCE);
            assert_eq!(second.lease, first.lease);
            for _ in 0..2 {
                site.server
                    .wait_for(&["event=session_closed", "reason=duplicate_client_replaced"]);
                first.program.wait_for(&["event=session_closed"]);
            }
            first.application.wait_for(&["event=disconnected"]);
            site.server
                .said_all(&["event=duplicate_client_replaced id=3 replaced=2"]);
            let sessions = &site.status("server")["sessions"];
            assert_eq!(sessions["duplicate_client_replacements"], 1);
            assert_eq!(sessions["carriers_current"], 1);
            assert_eq!(site.status("client-0")["sessions"]["carriers_current"], 0);
            // What is for the address goes to the new one.
            let near = socket(&site.near[1], &format!("{}:5000", second.lease));
            server
                .send_to(b"for you", format!("{}:5000", second.lease))
                .expect("the TUN");
            assert_eq!(next(&near).0, b"for you");
        },
    );
}

/// What a lease command of the server prints.
fn ask(site: &Site, args: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps_server"));
    command
        .arg("--config")
        .arg(site.files.path("server.json"))
        .args(args);
    let output = command.output().expect("run it");
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).expect("JSON")
}

#[test]
fn a_lease_outlives_the_server_until_it_is_taken_back() {
    with_namespaces(
        "leases::a_lease_outlives_the_server_until_it_is_taken_back",
        async || {
            let mut site = Site::new(2, "").await;
            let one = site.join(0, UUIDS[0], &ONCE);
            let two = site.join(1, UUIDS[1], &ONCE);
            let list = ask(&site, &["--lease-list"]);
            let leases = list["leases"].as_array().expect("a list");
            let addresses: Vec<_> = leases.iter().map(|it| it["ipv4"].clone()).collect();
            assert_eq!(addresses, [&*one.lease, &*two.lease]);
            drop((one, two));
            site.server.signal(Signal::SIGTERM);
            assert_eq!(site.server.wait().code(), Some(0));
            site.start_server().await;
            // Who comes first gets what it had, and not the lowest.
            let two = site.join(1, UUIDS[1], &ONCE);
            assert_eq!(two.lease, "10.66.0.3");
            assert_eq!(ask(&site, &["--lease-list"]), list);
            drop(two);
            site.server.signal(Signal::SIGTERM);
            site.server.wait();
            // Without it in the file it gets the lowest again, so it was the file.
            for uuid in UUIDS {
                let revoked = ask(&site, &["--lease-revoke-client-uuid", uuid]);
                assert_eq!(revoked["removed"], true);
            }
            site.start_server().await;
            assert_eq!(site.join(1, UUIDS[1], &ONCE).lease, "10.66.0.2");
        },
    );
}

const V6_AT_SERVER: &str = "[fd66::1]:5000";

#[test]
fn a_client_has_an_address_of_ipv6_beside_it_and_no_other() {
    with_namespaces(
        "leases::a_client_has_an_address_of_ipv6_beside_it_and_no_other",
        async || {
            let mut site = Site::new(1, r#""lease_pool_v6": "fd66::/64","#).await;
            site.far.set_sysctl("net/ipv6/conf/fpss0/disable_ipv6", "0");
            site.far.add_address("fpss0", "fd66::1/64").await;
            let mut client = site.start_client(0, UUIDS[0]);
            let near = &site.near[0];
            near.set_sysctl("net/ipv6/conf/fpsc0/disable_ipv6", "0");
            let _application = site.start_application(0, &[]);
            client.wait_for(&["event=tun_auto_configured"]);
            site.server.wait_for(&["event=carrier_registered"]);
            let link = near.link("fpsc0").await;
            let addresses = near.netlink.addresses(Some(link.index)).await.unwrap();
            let nets: Vec<_> = addresses.iter().map(|it| it.net.to_string()).collect();
            for net in ["10.66.0.2/24", "fd66::2/64"] {
                assert!(nets.iter().any(|it| it == net), "{net} is not in {nets:?}");
            }
            let server = socket(&site.far, V6_AT_SERVER);
            let asker = socket(near, "[fd66::2]:0");
            let ask = |from: &std::net::UdpSocket, text: &[u8]| {
                from.send_to(text, V6_AT_SERVER).expect("the TUN takes it");
            };
            ask(&asker, b"question");
            let (question, from) = next(&server);
            assert_eq!(
                (&question[..], from.ip().to_string()),
                (&b"question"[..], "fd66::2".into())
            );
            server.send_to(b"answer", from).expect("the way back");
            assert_eq!(next(&asker).0, b"answer");
            // What comes from another address of the same network goes nowhere.
            near.add_address("fpsc0", "fd66::9/64").await;
            let other = socket(near, "[fd66::9]:5000");
            (0..3).for_each(|_| ask(&other, b"spoofed"));
            ask(&asker, b"after that");
            assert_eq!(next(&server).0, b"after that");
            assert_eq!(site.dropped("server", "spoofed_source"), 3);
        },
    );
}

/// With a peer of version 5 there is no word of it.
#[test]
fn without_extensions_there_is_no_address_of_ipv6() {
    with_namespaces(
        "leases::without_extensions_there_is_no_address_of_ipv6",
        async || {
            let mut site = Site::new(1, r#""lease_pool_v6": "fd66::/64","#).await;
            let config = Site::client_config(0, UUIDS[0]);
            let config = config.replace(r#""profile_id""#, r#""extensions": false, "profile_id""#);
            let mut client = site.start_client_with(0, &config);
            let near = &site.near[0];
            near.set_sysctl("net/ipv6/conf/fpsc0/disable_ipv6", "0");
            let _application = site.start_application(0, &[]);
            client.wait_for(&["event=tun_auto_configured"]);
            site.server.wait_for(&["event=carrier_registered"]);
            let link = near.link("fpsc0").await;
            let addresses = near.netlink.addresses(Some(link.index)).await.unwrap();
            let nets: Vec<_> = addresses.iter().map(|it| it.net.to_string()).collect();
            assert!(!nets.iter().any(|it| it.starts_with("fd66:")), "{nets:?}");
            // And the rest is as it was, with packets of the MTU.
            let server = socket(&site.far, AT_SERVER);
            let asker = socket(near, "0.0.0.0:0");
            asker
                .send_to(b"question", AT_SERVER)
                .expect("the TUN takes it");
            assert_eq!(next(&server).0, b"question");
            assert!(!client.said().contains("event=carrier_extended"));
        },
    );
}
