use super::*;

const CLIENT: &str = r#"{
  "network": {"listen": "127.0.0.1:7443", "server": "[2001:db8::1]:443", "fwmark": "0x465053"},
  "security": {"zero_rtt": {"enabled": true, "profile_id": "lab", "client_upgrade_delay_ms": 0,
    "client_uuid": "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d",
    "server_public_key_base64": "5ZR1mDPjV25ZTk14oyjJD+ybvVW1MunST9OHzB2nkkM="}},
  "tun": {"enabled": true, "name": "fpsc0"}
}"#;

fn parse(text: &str, role: Role) -> Result<Config, ConfigError> {
    Config::parse(text, role, Path::new("fps.json"))
}

/// The error for the good configuration with one text replaced by another.
fn error(from: &str, to: &str) -> String {
    assert!(CLIENT.contains(from), "{from}");
    match parse(&CLIENT.replace(from, to), Role::Client) {
        Err(error) => error.to_string(),
        Ok(config) => panic!("accepted {to}: {config:?}"),
    }
}

#[test]
fn reads_a_client_and_fills_in_the_defaults() {
    let config = parse(CLIENT, Role::Client).expect("valid");
    assert_eq!(
        config.target(Role::Client),
        "[2001:db8::1]:443".parse().ok().as_ref()
    );
    assert_eq!(
        config.network.fwmark,
        Some(fps_netlink::Fwmark(0x0046_5053))
    );
    assert_eq!(config.network.read_buffer_size, 65536);
    assert!(config.network.tcp_no_delay);
    assert_eq!(
        (config.tun.mtu, config.limits.max_session_write_queue_bytes),
        (1280, 1 << 20)
    );
    assert!(config.unsupported().is_empty());
    assert!(
        !format!("{config:?}").contains("3f2b8c1d"),
        "a UUID is a secret"
    );
}

#[test]
fn errors_name_the_file_the_key_and_the_remedy() {
    for (from, to, expected) in [
        (
            r#""listen""#,
            r#""listn""#,
            "fps.json:2:21: network.listn: unknown key, expected one of `listen`, `server`, \
             `origin`, `target`, `read_buffer_size`, `tcp_no_delay`, \
             `fwmark`, `bind_device`",
        ),
        (
            r#""tun""#,
            r#""tunn""#,
            "fps.json:6:8: tunn: unknown key, expected one of `network`, `security`, `codec`, \
             `tun`, `limits`, `logging`, `ops`, `shaper`",
        ),
        (
            "[2001:db8::1]:443",
            "vpn..net:443",
            "fps.json:2:66: network.server: `vpn..net:443` is not host:port, with an IPv6 \
             address in brackets",
        ),
        (
            "0x465053",
            "0x0",
            "fps.json:2:89: network.fwmark: \"0x0\" is not a mark from 1 to 0xffffffff",
        ),
        (
            "3f2b8c1d-9a4e-4f6b",
            "3f2b8c1d-9a4e-1f6b",
            "fps.json:4:57: security.zero_rtt.client_uuid: not a version 4 UUID such as \
             xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx",
        ),
        (
            "fpsc0",
            "a-name-of-17-byte",
            "fps.json:6:55: tun.name: interface name `a-name-of-17-byte` is longer than 15 bytes",
        ),
        (
            r#""fpsc0""#,
            r#""fpsc0", "mtu": 60"#,
            "fps.json: tun.mtu: must be 68 to 65535",
        ),
        (r#", "name": "fpsc0""#, "", "fps.json: tun.name: is missing"),
        (
            r#""server""#,
            r#""origin""#,
            "fps.json: network.origin: is the server's; fps_client dials network.server",
        ),
        (
            r#""profile_id": "lab", "#,
            "",
            "fps.json: security.zero_rtt.profile_id: is missing",
        ),
        (
            r#"{"enabled": true, "profile"#,
            r#"{"enabled": false, "profile"#,
            "fps.json: tun.enabled: a TUN needs security.zero_rtt.enabled",
        ),
    ] {
        assert_eq!(error(from, to), expected, "{to}");
    }
}

#[test]
fn a_server_needs_clients_and_no_client_twice() {
    let uuid = "3f2b8c1d-9a4e-4f6b-8c2d-1e5f7a9b3c4d";
    let server = |list: &str| {
        let text = format!(
            r#"{{"network": {{"listen": "[::1]:443", "origin": "[::1]:8443"}}, "security":
            {{"zero_rtt": {{"enabled": true, "profile_id": "x",
            "server_private_key_base64": "iGa3FJg63dWRIzBWsrUS5tuT7I4982Ge1RpBiiNxtGE=",
            "server_public_key_base64": "5ZR1mDPjV25ZTk14oyjJD+ybvVW1MunST9OHzB2nkkM=",
            "allowed_client_uuids": [{list}]}}}}}}"#
        );
        parse(&text, Role::Server)
            .map(|_| ())
            .map_err(|error| error.to_string())
    };
    let key = "fps.json: security.zero_rtt.allowed_client_uuids:";
    assert_eq!(server(&format!("\"{uuid}\"")), Ok(()));
    assert_eq!(
        server(""),
        Err(format!("{key} is empty, so no client could use the tunnel"))
    );
    let twice = format!("\"{uuid}\", \"{}\"", uuid.to_uppercase());
    assert_eq!(server(&twice), Err(format!("{key} holds a UUID twice")));
}

#[test]
fn what_it_cannot_honour_is_reported() {
    let text = CLIENT.replace(
        r#""name": "fpsc0""#,
        r#""name": "fpsc0"}, "shaper": {"any": 1}, "ops": {"status_socket": "s""#,
    );
    let config = parse(&text, Role::Client).expect("valid");
    let keys: Vec<_> = config
        .unsupported()
        .into_iter()
        .map(|(key, _)| key)
        .collect();
    assert_eq!(keys, ["shaper"]);
}

#[test]
fn what_fuzzing_found_is_refused() {
    assert_eq!(
        error("fpsc0", "fps\\u0000c0"),
        "fps.json:6:49: tun.name: interface name \"fps\\0c0\" holds a zero"
    );
    let short = r#""fpsc0"}, "codec": {"max_frame_payload": 12}"#;
    assert_eq!(
        error(r#""fpsc0"}"#, short),
        "fps.json: codec.max_frame_payload: must be 13 or more, or no packet of tun.mtu fits in parts"
    );
}

#[test]
fn a_summary_is_one_line() {
    let text = CLIENT.replace(r#""lab""#, r#""a\nb""#);
    let summary = parse(&text, Role::Client)
        .expect("valid")
        .summary(Role::Client);
    assert!(
        summary.contains(r#" zero_rtt_profile_id="a\nb" "#),
        "{summary}"
    );
}

#[test]
fn text_after_the_end_is_an_error() {
    let error = parse(&format!("{CLIENT} x"), Role::Client).expect_err("trailing text");
    assert!(error.to_string().contains("text after the end"), "{error}");
}
