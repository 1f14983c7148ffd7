//! A host that answers on a port, and one that asks it.

use super::desk::Desk;

/// Its table.
pub(crate) const SERVES: &str = r#"
[host.web]
serve = { tcp = [80], udp = [53] }
link.eth0 = { net = "home", ip = "192.168.188.80" }
"#;

/// Has the laptop say hello to it, which says the same.
#[track_caller]
pub(crate) fn ask_web(desk: &Desk) {
    let script = "exec 3<>/dev/tcp/192.168.188.80/80; printf 'hello\\n' >&3; head -n1 <&3";
    let asked = desk.exec("laptop", b"", &["bash", "-c", script]);
    let text = String::from_utf8_lossy(&asked.stdout);
    assert_eq!(text, "hello\n", "{asked:?}");
}
