//! A scenario in which a packet goes astray.

/// A rule leads what is for the web to a box that forwards nothing. All that the file and its programs
/// say would be markup if it were not escaped.
pub(crate) const ASTRAY: &str = r#"
title    = "The <script>throw 1</script> \"web\" & 'more' <img src=x onerror=throw(2)>"
origin   = "</style><b>nobody</b>"
sabotage = []
why      = "a test of the page"

[net.home]
v4 = "192.168.188.0/24"
[net.dock]
v4 = "10.0.7.0/24"
[net.internet]
v4 = "203.0.113.0/24"

[host.laptop]
link.wlan0 = { net = "home", ip = "192.168.188.112", via = "192.168.188.1" }
link.eth0  = { net = "dock", ip = "10.0.7.23" }
[host.box]
link.eth0 = { net = "dock", ip = "10.0.7.1" }
[host.router]
nat      = "wan"
link.lan = { net = "home", ip = "192.168.188.1" }
link.wan = { net = "internet", ip = "203.0.113.1" }
[host.web]
link.eth0 = { net = "internet", ip = "203.0.113.80" }

[[step]]
name   = "at first"
expect = { reach = { from = "laptop", to = "web", via = "wlan0" } }

[[step]]
name   = "</script><script>throw 3</script>"
do     = [
  { run = { on = "laptop", command = ["echo", "<script>throw 4</script>"] } },
  { route = { on = "laptop", to = "203.0.113.0/24", via = "10.0.7.1", link = "eth0", table = 100 } },
  { rule = { on = "laptop", priority = 77, table = 100, to = "203.0.113.0/24" } },
]
expect = [
  { reach = { name = "the <b>web</b> & \"more\"", from = "laptop", to = "web", via = "wlan0", within = "300ms" } },
  { outage = { name = "all the way", from = "laptop", to = "web", at-most = "50ms", for = "200ms" } },
]
"#;

/// The same before it goes astray, where all holds.
pub(crate) fn before() -> &'static str {
    let mut steps = ASTRAY.match_indices("[[step]]");
    let (second, _) = steps.nth(1).expect("a second step");
    &ASTRAY[..second]
}
