//! boringtun between the hosts, for comparison.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};
use std::time::Instant;

use fps_netns::Namespace;

use crate::hosts::{FAR, Hosts, Kill, NEAR, ip};
use crate::program::PATIENCE;

const PROGRAM: &str = "boringtun-cli";
/// Its address at the far host.
pub(crate) const AT_FAR: &str = "10.67.0.1";
const AT_NEAR: &str = "10.67.0.2";
const PORT: u16 = 51820;

/// Killed when it is dropped, and with it the links.
pub(crate) struct Boringtun {
    _programs: [Kill; 2],
}

/// Whether there is one to measure.
pub(crate) fn is_installed() -> bool {
    let mut asked = Command::new(PROGRAM);
    let asked = asked.arg("--version").stdout(Stdio::null()).status();
    asked.is_ok_and(|status| status.success())
}

/// One end: where it is, its link, its address and where the other end is.
struct End<'a> {
    host: &'a Namespace,
    link: &'a str,
    address: &'a str,
    other: (&'a str, &'a str),
}

impl Boringtun {
    pub(crate) fn start(hosts: &Hosts) -> Self {
        let keys = [(); 2].map(|()| fps::random::private_key().expect("random bytes"));
        let ends = [
            End {
                host: &hosts.near,
                link: "wgn0",
                address: AT_NEAR,
                other: (FAR, AT_FAR),
            },
            End {
                host: &hosts.far,
                link: "wgf0",
                address: AT_FAR,
                other: (NEAR, AT_NEAR),
            },
        ];
        let mut programs = ends.iter().map(run);
        let programs = [(); 2].map(|()| programs.next().expect("two ends"));
        for (place, end) in ends.iter().enumerate() {
            let (ours, theirs) = (&keys[place], &keys[1 - place]);
            let (private, public) = (hex(&*ours.to_bytes()), hex(theirs.public().as_bytes()));
            let (endpoint, inside) = end.other;
            let text = format!(
                "set=1\nprivate_key={private}\nlisten_port={PORT}\npublic_key={public}\n\
                 endpoint={endpoint}:{PORT}\nallowed_ip={inside}/32\n\n"
            );
            configure(&programs[place], end.link, &text);
            ip(end.host, &format!("link set {} mtu 1400", end.link));
            ip(
                end.host,
                &format!("addr add {}/30 dev {}", end.address, end.link),
            );
            ip(end.host, &format!("link set {} up", end.link));
        }
        Self {
            _programs: programs,
        }
    }
}

/// Its socket is made below /run, which is the machine's; so it has one of its own.
fn run(end: &End<'_>) -> Kill {
    let line = format!(
        "mount -t tmpfs tmpfs /run && exec {PROGRAM} -f --disable-drop-privileges -l /run/log {}",
        end.link
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", &line]);
    let child = end.host.within(|| command.spawn());
    Kill(child.expect("enter").expect("run unshare (util-linux)"))
}

/// By the cross-platform interface of WireGuard, a text each way.
fn configure(program: &Kill, link: &str, text: &str) {
    let pid = program.0.id();
    let path = format!("/proc/{pid}/root/run/wireguard/{link}.sock");
    let deadline = Instant::now() + PATIENCE;
    let mut stream = loop {
        match UnixStream::connect(&path) {
            Ok(stream) => break stream,
            Err(error) => assert!(Instant::now() < deadline, "{path}: {error}"),
        }
        std::thread::yield_now();
    };
    stream.write_all(text.as_bytes()).expect("it reads");
    stream
        .shutdown(std::net::Shutdown::Write)
        .expect("connected");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    assert!(answer.starts_with("errno=0"), "{answer}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
