//! The command's text and exit codes; nothing here needs a privilege, a device or a namespace.

#[path = "support/command.rs"]
mod command;

use std::process::{Command, Stdio};

use command::{fps_route, text, words};

const OPTIONS: &str = "--tun fpsc0 --tun-address 10.66.0.2/30 --tun-address fd66::2/64 --mtu 1280 \
    --route 10.66.1.0/24 --route fd66:1::/48 --no-dns";

const APPLIED: &str = "\
+ ip addr replace 10.66.0.2/30 dev fpsc0
+ ip -6 addr replace fd66::2/64 dev fpsc0
+ ip link set dev fpsc0 mtu 1280
+ ip link set dev fpsc0 up
+ ip route replace 10.66.1.0/24 dev fpsc0
+ ip -6 route replace fd66:1::/48 dev fpsc0
";

const CLEANED: &str = "\
+ ip route del 10.66.1.0/24 dev fpsc0
+ ip -6 route del fd66:1::/48 dev fpsc0
+ ip addr del 10.66.0.2/30 dev fpsc0
+ ip -6 addr del fd66::2/64 dev fpsc0
";

#[test]
fn prints_what_it_would_do() {
    for (line, action, operations) in [
        (format!("plan {OPTIONS}"), "plan", APPLIED.to_owned()),
        (
            format!("plan {OPTIONS} --dry-run --down"),
            "plan",
            APPLIED.to_owned(),
        ),
        (
            format!("apply {OPTIONS} --dry-run"),
            "apply",
            APPLIED.to_owned(),
        ),
        (
            format!("cleanup {OPTIONS} --dry-run"),
            "cleanup",
            CLEANED.to_owned(),
        ),
        (
            format!("cleanup {OPTIONS} --dry-run --down"),
            "cleanup",
            format!("{CLEANED}+ ip link set dev fpsc0 down\n"),
        ),
        (
            "plan --tun fpsc0".to_owned(),
            "plan",
            "+ ip link set dev fpsc0 up\n".to_owned(),
        ),
    ] {
        let output = fps_route(&words(&line));
        let header = format!("# fps_linux_route action={action} tun=fpsc0 execute=false\n");
        assert_eq!(text(&output.stdout), header + &operations, "{line}");
        assert_eq!(text(&output.stderr), "", "{line}");
        assert_eq!(output.status.code(), Some(0), "{line}");
    }
}

#[test]
fn quotes_an_odd_device_in_every_line() {
    let output = fps_route(&["plan", "--tun", "it's$0"]);
    let expected = "# fps_linux_route action=plan tun=it\\'s\\$0 execute=false\n\
                    + ip link set dev it\\'s\\$0 up\n";
    assert_eq!(text(&output.stdout), expected);
}

#[test]
fn refuses_what_it_does_not_understand_in_one_line() {
    for (line, complaint) in [
        (
            "",
            "'fps-route' requires a subcommand but one was not provided [subcommands: plan, \
              apply, cleanup, verify, watch]",
        ),
        ("roam", "unrecognized subcommand 'roam'"),
        (
            "plan",
            "the following required arguments were not provided: --tun <DEV>",
        ),
        (
            "plan --tun",
            "a value is required for '--tun <DEV>' but none was supplied",
        ),
        (
            "plan --tun a/b",
            "invalid value 'a/b' for '--tun <DEV>': interface name `a/b` is `.`, \
                            `..`, or holds `/`, `:` or white space",
        ),
        (
            "plan --tun fpsc0 --tun fpsc1",
            "the argument '--tun <DEV>' cannot be used multiple times",
        ),
        (
            "plan --tun fpsc0 --dns-server 10.66.0.1",
            "unexpected argument '--dns-server' found",
        ),
        (
            "apply --tun fpsc0 10.66.1.0/24",
            "unexpected argument '10.66.1.0/24' found",
        ),
        (
            "apply --tun fpsc0 --route 10.66.1.5/24",
            "invalid value '10.66.1.5/24' for '--route <CIDR>': it has host bits set; the network \
             is 10.66.1.0/24",
        ),
        (
            "cleanup --tun fpsc0 --route 10.66.1.0/33",
            "invalid value '10.66.1.0/33' for '--route <CIDR>': the prefix length is no number \
             from 0 to 32",
        ),
        (
            "plan --tun fpsc0 --tun-address 10.66.0.2",
            "invalid value '10.66.0.2' for '--tun-address <CIDR>': the prefix length is missing; \
             the single host is 10.66.0.2/32",
        ),
        (
            "plan --tun fpsc0 --mtu 20",
            "invalid value '20' for '--mtu <N>': it is no number from 68 to 65535",
        ),
    ] {
        let arguments: Vec<_> = line.split(' ').filter(|word| !word.is_empty()).collect();
        let output = fps_route(&arguments);
        let expected = format!("fps-route: {complaint}; see `fps-route --help`\n");
        assert_eq!(text(&output.stderr), expected, "{line}");
        assert_eq!(text(&output.stdout), "", "{line}");
        assert_eq!(output.status.code(), Some(2), "{line}");
    }
}

#[test]
fn refuses_options_that_do_not_go_together() {
    let line = "plan --tun fpsc0 --mtu 1000 --route fd66:1::/48";
    let output = fps_route(&words(line));
    let expected = "fps-route: --mtu 1000 is below 1280, the least for IPv6 (RFC 8200, 5), which \
                    fd66:1::/48 needs\n";
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(text(&output.stdout), "");
    assert_eq!(output.status.code(), Some(2));
}

#[test]
fn explains_itself() {
    for (arguments, part) in [
        (
            &["--help"][..],
            "  4  the capability CAP_NET_ADMIN is missing",
        ),
        (&["cleanup", "--help"], "--tun-address <CIDR>"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let output = fps_route(arguments);
        assert!(text(&output.stdout).contains(part), "{output:?}");
        assert_eq!(text(&output.stderr), "");
        assert_eq!(output.status.code(), Some(0));
    }
}

#[test]
fn fails_where_the_plan_cannot_be_printed() {
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .expect("/dev/full");
    let output = Command::new(env!("CARGO_BIN_EXE_fps-route"))
        .args(["plan", "--tun", "fpsc0"])
        .stdout(Stdio::from(full))
        .output()
        .expect("run fps-route");
    let expected = "fps-route: cannot print the plan, so nothing further is done: No space left \
                    on device (os error 28)\n";
    assert_eq!(text(&output.stderr), expected);
    assert_eq!(output.status.code(), Some(1));
}
