//! What nobody may find: identities, keys and payloads, in the logs of both programs and in their status.

use fps_netns::testing::with_namespaces;
use fps_wire::{ClientUuid, base64};
use nix::sys::signal::Signal;

use crate::programs::{PRIVATE_KEY, PUBLIC_KEY};
use crate::site::{Site, UUIDS, next, socket};

const MARKER: &[u8] = b"a-payload-that-nobody-may-see";

/// Each form in which a secret could be written.
fn forms(bytes: &[u8]) -> Vec<String> {
    let decimal: Vec<_> = bytes.iter().map(u8::to_string).collect();
    let hex: Vec<_> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    vec![
        hex.concat(),
        hex.concat().to_uppercase(),
        hex.join(":"),
        hex.join(" "),
        base64::encode(bytes).trim_end_matches('=').to_owned(),
        decimal.join(", "),
        bytes.escape_ascii().to_string(),
    ]
}

/// Everything that is secret here.
fn secrets() -> Vec<String> {
    let mut all = Vec::new();
    for uuid in UUIDS {
        let parsed: ClientUuid = uuid.parse().expect("a UUID");
        let private = parsed.private_key();
        all.extend([uuid.to_owned(), uuid.to_uppercase()]);
        all.extend(forms(parsed.as_bytes()));
        all.extend(forms(&*private.to_bytes()));
        all.extend(forms(private.public().as_bytes()));
    }
    for key in [PRIVATE_KEY, PUBLIC_KEY] {
        all.extend(forms(&base64::decode(key).expect("base64")));
    }
    all.extend(forms(MARKER));
    all
}

fn found<'a>(secrets: &'a [String], text: &str) -> Vec<&'a str> {
    let found = secrets
        .iter()
        .filter(|secret| text.contains(secret.as_str()));
    found.map(String::as_str).collect()
}

#[test]
fn neither_identities_nor_keys_nor_payloads_are_told() {
    with_namespaces(
        "privacy::neither_identities_nor_keys_nor_payloads_are_told",
        async || {
            let secrets = secrets();
            let mut site = Site::new(2, "").await;
            let mut one = site.join(0, UUIDS[0], &["--log-level", "trace"]);
            let mut two = site.join(1, UUIDS[1], &[]);
            let server = socket(&site.far, "10.66.0.1:5000");
            let near = socket(&site.near[0], &format!("{}:5000", one.lease));
            near.send_to(MARKER, "10.66.0.1:5000")
                .expect("the TUN takes it");
            let (payload, from) = next(&server);
            assert_eq!(payload, MARKER);
            server.send_to(MARKER, from).expect("the TUN takes it");
            assert_eq!(next(&near).0, MARKER);
            // Dropped ones have a line of their own: to another client, forged, and no carrier's.
            near.send_to(MARKER, format!("{}:5000", two.lease))
                .expect("the TUN takes it");
            server
                .send_to(MARKER, "10.66.0.77:5000")
                .expect("the TUN takes it");
            site.near[0].add_address("lo", "10.66.0.99/32").await;
            let forged = socket(&site.near[0], "10.66.0.99:5000");
            forged
                .send_to(MARKER, "10.66.0.1:5000")
                .expect("the TUN takes it");
            site.server.wait_for(&["event=ignored_spoofed_tun_source"]);
            let mut told = String::new();
            for program in ["server", "client-0", "client-1"] {
                told += &site.status_text(program);
            }
            let running = [&mut site.server, &mut one.program, &mut two.program];
            for program in running {
                program.signal(Signal::SIGTERM);
                program.wait();
                told += &program.said();
            }
            told += &(one.application.said() + &site.origin.said());
            // It is all there, down to the drops.
            for part in [
                "\"packets_to_carriers\"",
                "event=stopped",
                "reason=client_isolation",
                "event=tun_stats",
            ] {
                assert!(told.contains(part), "no {part} in {told}");
            }
            assert_eq!(found(&secrets, &told), [""; 0], "in {told}");
            // Each would be found, wherever it stands, as some are in the configurations.
            for secret in &secrets {
                let (before, after) = told.split_at(told.len() / 2);
                assert!(
                    found(&secrets, &format!("{before}{secret}{after}")).contains(&secret.as_str())
                );
            }
            let text = std::fs::read_to_string(site.files.path("client-0.json")).expect("ours");
            assert!(found(&secrets, &text).contains(&UUIDS[0]));
        },
    );
}
