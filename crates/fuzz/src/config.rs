//! The configuration of both programs: whatever is accepted can be run with, and what is refused says
//! why without a secret.
//!
//! Input: one byte, and a file's text; or values for keys of a valid one; or a `host:port`.

use std::net::SocketAddr;
use std::path::Path;

use fps::config::{Config, Endpoint, Role};
use fps_wire::fragment::Splitter;
use serde_json::{Value, json};

use crate::input::{Input, put};
use crate::seed::Seed;
use crate::vectors::{self, each, text};

const ROLES: [Role; 2] = [Role::Client, Role::Server];
const UUID: &str = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";
const PRIVATE: &str = "iGa3FJg63dWRIzBWsrUS5tuT7I4982Ge1RpBiiNxtGE=";
const PUBLIC: &str = "5ZR1mDPjV25ZTk14oyjJD+ybvVW1MunST9OHzB2nkkM=";

/// The keys that are given other values, and one that there is not.
const KEYS: [[&str; 3]; 38] = [
    ["network", "listen", ""],
    ["network", "server", ""],
    ["network", "origin", ""],
    ["network", "target", ""],
    ["network", "read_buffer_size", ""],
    ["network", "tcp_no_delay", ""],
    ["network", "fwmark", ""],
    ["network", "bind_device", ""],
    ["security", "zero_rtt", "enabled"],
    ["security", "zero_rtt", "profile_id"],
    ["security", "zero_rtt", "version"],
    ["security", "zero_rtt", "client_uuid"],
    ["security", "zero_rtt", "allowed_client_uuids"],
    ["security", "zero_rtt", "client_upgrade_delay_ms"],
    ["security", "zero_rtt", "client_upgrade_delay_sigma_ms"],
    ["security", "zero_rtt", "capabilities"],
    ["security", "zero_rtt", "max_padding_size"],
    ["security", "zero_rtt", "min_records_before_trial"],
    ["security", "zero_rtt", "upgrade_direction"],
    ["security", "zero_rtt", "server_public_key_base64"],
    ["security", "zero_rtt", "server_private_key_base64"],
    ["codec", "max_frame_payload", ""],
    ["codec", "max_frame_padding", ""],
    ["codec", "allow_fragmentation", ""],
    ["tun", "enabled", ""],
    ["tun", "name", ""],
    ["tun", "mtu", ""],
    ["tun", "max_write_queue_packets", ""],
    ["tun", "auto_configure", ""],
    ["tun", "client_isolation", ""],
    ["tun", "lease_pool", ""],
    ["tun", "server_address", ""],
    ["tun", "lease_file", ""],
    ["limits", "max_session_write_queue_bytes", ""],
    ["limits", "max_in_flight_records", ""],
    ["logging", "level", ""],
    ["ops", "status_socket", ""],
    ["shaper", "enabled", ""],
];

/// See the module.
pub fn check(data: &[u8]) -> bool {
    let mut input = Input::new(data);
    let what = input.byte();
    match what % 4 {
        0 => {
            let file = std::str::from_utf8(input.rest());
            file.is_ok_and(|file| ROLES.into_iter().any(|role| read(file, role)))
        }
        1 => altered(Role::Client, &mut input),
        2 => altered(Role::Server, &mut input),
        _ => std::str::from_utf8(input.rest()).is_ok_and(endpoint),
    }
}

fn valid(role: Role) -> Value {
    match role {
        Role::Client => json!({
            "network": { "listen": "127.0.0.1:7443", "server": "[2001:db8::1]:443" },
            "security": { "zero_rtt": { "enabled": true, "profile_id": "lab",
                "client_uuid": UUID, "server_public_key_base64": PUBLIC } },
            "tun": { "enabled": true, "name": "fpsc0", "auto_configure": true },
        }),
        Role::Server => json!({
            "network": { "listen": "[::]:443", "origin": "127.0.0.1:8443" },
            "security": { "zero_rtt": { "enabled": true, "profile_id": "lab",
                "allowed_client_uuids": [UUID], "server_public_key_base64": PUBLIC,
                "server_private_key_base64": PRIVATE } },
            "tun": { "enabled": true, "name": "fpss0", "lease_pool": "10.66.0.0/24",
                "lease_file": "leases.json" },
        }),
    }
}

/// A valid file with other values. What is said of it has no secret, as long as no value is one.
fn altered(role: Role, input: &mut Input<'_>) -> bool {
    let mut file = valid(role);
    while !input.is_empty() {
        let [section, key, inner] = KEYS[usize::from(input.byte()) % KEYS.len()];
        let bytes = input.some();
        let given = String::from_utf8_lossy(bytes);
        let value = serde_json::from_slice(bytes).unwrap_or_else(|_| json!(given));
        let at = match inner {
            "" => &mut file[section][key],
            inner => &mut file[section][key][inner],
        };
        *at = value;
    }
    let text = file.to_string();
    let secrets = [UUID, PRIVATE].map(|secret| &secret[..20]);
    let once = |secret: &&str| text.matches(secret).count() <= 1;
    let said = match Config::parse(&text, role, Path::new("fps.json")) {
        Ok(config) => format!("{config:?} {}", config.summary(role)),
        Err(error) => error.to_string(),
    };
    for secret in secrets.iter().filter(|secret| once(secret)) {
        let where_it_is = text.find(secret).map(|at| &text[..at]);
        let own = [
            r#""client_uuid":""#,
            r#""allowed_client_uuids":[""#,
            r#"_private_key_base64":""#,
        ];
        let own = where_it_is.is_some_and(|before| own.iter().any(|own| before.ends_with(own)));
        assert!(!own || !said.contains(secret), "a secret is shown: {said}");
    }
    read(&text, role)
}

/// Whether a file is taken; then all has to be there that the programs take for granted.
fn read(file: &str, role: Role) -> bool {
    let config = match Config::parse(file, role, Path::new("/etc/fps/fps.json")) {
        Ok(config) => config,
        Err(error) => {
            assert!(
                error.to_string().starts_with("/etc/fps/fps.json:"),
                "{error}"
            );
            return false;
        }
    };
    let target = config.target(role).expect("whom to dial");
    for endpoint in [&config.network.listen, target] {
        assert_eq!(endpoint.to_string().parse().as_ref(), Ok(endpoint));
    }
    assert!((1..=16 << 20).contains(&config.network.read_buffer_size));
    assert!(config.network.fwmark.is_none_or(|mark| mark.0 > 0));
    let names = [config.network.bind_device, config.tun.name];
    for name in names.iter().flatten() {
        let plain = |c: char| !c.is_whitespace() && c != '/' && c != '\0';
        assert!(name.as_str().chars().all(plain), "{name:?}");
    }
    let summary = config.summary(role);
    assert!(!summary.contains(['\n', '\r']), "one line: {summary:?}");
    assert_eq!(config.unsupported().len(), usize::from(config.has_shaper()));
    zero_rtt(&config, role);
    if config.tun.enabled {
        device(&config, role);
    }
    true
}

fn zero_rtt(config: &Config, role: Role) {
    let zero_rtt = &config.security.zero_rtt;
    for random in [[0; 12], [255; 12]] {
        let (delay, sigma) = zero_rtt.delay_and_sigma();
        let drawn = zero_rtt.upgrade_delay(&random).as_millis();
        assert!(drawn.abs_diff(delay.into()) <= 3 * u128::from(sigma));
    }
    if !zero_rtt.enabled {
        return;
    }
    assert!(zero_rtt.profile().is_some());
    let public = zero_rtt.server_public_key_base64.expect("the server's key");
    match (role, &zero_rtt.server_private_key_base64) {
        (Role::Client, private) => {
            assert!(private.is_none() && zero_rtt.clients().is_empty());
            assert!(zero_rtt.client_uuid.is_some());
        }
        (Role::Server, private) => {
            let private = private.as_ref().expect("its own key");
            assert_eq!(private.public(), public);
            assert!(zero_rtt.allowed().is_some() && !zero_rtt.clients().is_empty());
        }
    }
}

fn device(config: &Config, role: Role) {
    let (tun, mtu) = (&config.tun, usize::from(config.tun.mtu));
    assert!(config.security.zero_rtt.enabled && tun.name.is_some() && mtu >= 68);
    assert!(config.limits.max_session_write_queue_bytes >= mtu);
    let codec = config.codec.of_session(mtu);
    let payload = codec.limits.frame_payload as usize;
    let mut splitter = Splitter::new(payload, codec.packet, codec.splits);
    let packet = vec![0x45; mtu];
    let split = splitter.split(&packet).map(|parts| parts.len());
    assert!(
        split.is_ok_and(|parts| parts > 0),
        "a packet cannot be sent"
    );
    if let (Role::Server, Some(network)) = (role, tun.lease_pool) {
        let (pool, file) = tun.pool().expect("a pool");
        assert_eq!(pool.network(), network.trunc());
        assert!(network.contains(&pool.server()) && !pool.has(pool.server()));
        assert!(
            file.starts_with("/"),
            "it does not depend on where it is run"
        );
    }
}

/// What is an address is that address; what is read is written and read again.
fn endpoint(given: &str) -> bool {
    let found = given.parse::<Endpoint>();
    if let Ok(address) = given.parse::<SocketAddr>() {
        let found = found.as_ref().expect("an address");
        assert_eq!(found.address(), Some(address), "{given}");
    }
    let Ok(found) = found else {
        return false;
    };
    assert_ne!(found.address().is_some(), found.name().is_some());
    assert_eq!(found.to_string().parse(), Ok(found));
    true
}

/// Both files, alone and with one value of each key, and the recorded profiles.
pub fn seeds() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for (what, role) in (1..).zip(ROLES) {
        seeds.push(Seed::deep(format!("\0{:#}", valid(role))));
        seeds.push(Seed::deep([what]));
        for (at, values) in (0_u8..).zip(VALUES) {
            let alter = |value: &&str| [&[what, at][..], &put(value.as_bytes())].concat();
            seeds.extend(values.iter().map(alter).map(Seed::any));
        }
    }
    for given in each(&vectors::profiles(), "encode") {
        seeds.push(Seed::any(format!("\0{}", text(given, "json_text"))));
    }
    for given in ["127.0.0.1:0", "[2001:db8::1]:443", "vpn.example.net:443"] {
        seeds.push(Seed::deep(format!("\x03{given}")));
    }
    for given in [
        "",
        "host",
        "1.2.3:4",
        "[fe80::1%3]:443",
        "a..b:1",
        "a:70000",
    ] {
        seeds.push(Seed::any(format!("\x03{given}")));
    }
    seeds
}

/// For each of [`KEYS`], what it may be, and what it may not.
const VALUES: [&[&str]; KEYS.len()] = [
    &["[::1]:0", "7443"],
    &["vpn.example.net:443", "null"],
    &["10.0.0.1:1", ""],
    &["10.0.0.1:1", "[]"],
    &["1", "16777217"],
    &["false", "1"],
    &["7", "0x465053", "0"],
    &["eth0", "a/b"],
    &["false", "yes"],
    &["p 5", "a\nb", "{}"],
    &["5", "4"],
    &["00000000-0000-4000-8000-000000000000", "3f2b8c1d"],
    &["[\"00000000-0000-4000-8000-000000000000\"]", "[]"],
    &["0", "18446744073709551615", "-1"],
    &["0", "18446744073709551615", "null"],
    &["65535", "65536"],
    &["0", "18446744073709551615"],
    &["0", "18446744073709551615"],
    &["client_to_server", "server_to_client"],
    &["iGa3FJg63dWRIzBWsrUS5tuT7I4982Ge1RpBiiNxtGE=", "AA=="],
    &["5ZR1mDPjV25ZTk14oyjJD+ybvVW1MunST9OHzB2nkkM=", "AA="],
    &["400", "4294967295", "12", "0"],
    &["0", "4294967295"],
    &["false", "0"],
    &["false", "1"],
    &["fpsc1", "fps\0c1", "a-name-of-17-byte"],
    &["68", "65535", "67"],
    &["1", "0"],
    &["false", "1"],
    &["false", "1"],
    &["10.66.0.0/30", "0.0.0.0/0", "10.66.0.0/31"],
    &["10.66.0.9", "10.66.0.0"],
    &["/var/lib/fps/leases", "null"],
    &["1280", "1279"],
    &["0", "65536", "65537"],
    &["debug", "loud"],
    &["status", ""],
    &["false", "true"],
];
