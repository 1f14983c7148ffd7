//! Small scenarios as text.

/// Two hosts on one net, reached in about 50 ms.
pub(crate) const PAIR: &str = r#"
title = "Two hosts on one net"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }
"#;

/// No sabotage, where a test is about something else.
pub(crate) const NO_SABOTAGE: &str = "sabotage = []\nwhy = \"a test of the lab itself\"\n";
