//! A link that is bad is as bad as it was asked to be, on the way that was meant, and good before and
//! afterwards.
//!
//! Datagrams go from one host to another by sockets of the hosts, so that what is measured is the
//! link alone. What must not be faster has a sharp bound; what a busy machine may slow down has not.

mod common {
    pub(crate) mod live;
}

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, Instant};

use common::live::{build, host, shell};
use fps_lab::lab::Lab;
use fps_lab::sandbox::SocketKind;
use fps_lab::scenario::{Act, parse};
use fps_netlink::Netlink;
use socket2::Socket;
use tokio::net::UdpSocket;
use tokio::time::{sleep, timeout};

const PAIR: &str = r#"
title    = "A laptop and a printer"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[net.cafe]
v4 = "10.0.7.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112" }

[host.printer]
link.eth0 = { net = "home", ip = "192.168.188.20" }

[host.cafe-printer]
link.eth0 = { net = "cafe", ip = "10.0.7.20" }
"#;

const LAPTOP: &str = "192.168.188.112:9";
const PRINTER: &str = "192.168.188.20:9";

/// No datagram takes longer than this on a link that is good, however busy the machine is.
const GOOD: Duration = Duration::from_millis(90);
/// When nothing has come for so long, nothing more comes.
const QUIET: Duration = Duration::from_millis(500);

/// Runs a test with a lab, and acts that are done one after the other with `done`.
fn with_lab(body: impl AsyncFnOnce(Lab)) {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(async {
            let step = "[[step]]\nexpect = { reach = { from = \"laptop\", to = \"printer\" } }\n";
            let text = format!("{PAIR}\n{step}");
            body(build(Path::new(env!("CARGO_BIN_EXE_fps-lab")), &text).await).await;
        });
}

/// Does an act of a link, given as a file has it; says what it says.
async fn done(lab: &mut Lab, act: &str) -> String {
    let text = format!("{PAIR}\n[[step]]\ndo = {act}\n");
    let file = parse(Path::new("act.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
    match &file.scenario.steps[0].acts[0] {
        Act::Impair(change) => lab.impair(change).await.expect("the link can be changed"),
        Act::Roam(roam) => {
            lab.roam(roam).await.expect("the link roams");
            String::new()
        }
        Act::Link(change) => {
            lab.change_link(change).await.expect("the link changes");
            String::new()
        }
        other => panic!("{other} is not of a link"),
    }
}

/// A socket in a host, bound to an address of it.
fn bound(lab: &Lab, name: &str, address: &str) -> UdpSocket {
    let socket = lab
        .sandbox()
        .socket(host(lab, name).id(), SocketKind::UdpV4);
    let socket = Socket::from(socket.expect("a socket"));
    let address: SocketAddr = address.parse().expect("an address");
    socket
        .bind(&address.into())
        .expect("the address is the host's");
    socket.set_nonblocking(true).expect("a flag");
    UdpSocket::from_std(socket.into()).expect("a runtime")
}

/// The number of a datagram, and the time from the first that was sent to its arrival.
type Arrival = (u16, Duration);

/// Sends numbered datagrams of `length` bytes, with `pause` in between; gives those that arrive.
async fn sent(
    from: &UdpSocket,
    (to, at): (&UdpSocket, &str),
    (count, length, pause): (u16, usize, Duration),
) -> Vec<Arrival> {
    let start = Instant::now();
    let sending = async {
        for number in 0..count {
            let mut datagram = vec![0; length];
            datagram[..2].copy_from_slice(&number.to_be_bytes());
            from.send_to(&datagram, at).await.expect("it is sent");
            if !pause.is_zero() {
                sleep(pause).await;
            }
        }
    };
    let receiving = async {
        let mut arrived = Vec::new();
        let mut buffer = [0; 2000];
        while let Ok(received) = timeout(QUIET, to.recv(&mut buffer)).await {
            received.expect("it is received");
            let number = u16::from_be_bytes([buffer[0], buffer[1]]);
            arrived.push((number, start.elapsed()));
            // Of more than one, a second copy of one would show.
            if count == 1 {
                break;
            }
        }
        arrived
    };
    tokio::join!(sending, receiving).1
}

/// The time that the middle one of a few datagrams takes.
async fn takes(from: &UdpSocket, to: (&UdpSocket, &str)) -> Duration {
    let mut times = Vec::new();
    for _ in 0..5 {
        let arrived = sent(from, to, (1, 100, Duration::ZERO)).await;
        times.push(arrived.first().expect("it arrives").1);
    }
    times.sort_unstable();
    times[2]
}

fn in_order(arrived: &[Arrival]) -> bool {
    arrived.is_sorted_by_key(|(number, _)| *number)
}

#[test]
fn a_delay_is_there_on_its_way_alone_and_gone_when_it_is_cleared() {
    with_lab(async |mut lab| {
        let (laptop, printer) = (
            bound(&lab, "laptop", LAPTOP),
            bound(&lab, "printer", PRINTER),
        );
        let (out, back) = ((&printer, PRINTER), (&laptop, LAPTOP));
        assert!(takes(&laptop, out).await < GOOD, "the control");
        let means = done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", delay = "100ms", way = "out" } }"#,
        )
        .await;
        assert!(!means.is_empty(), "it says by what means");
        let (late, quick) = (takes(&laptop, out).await, takes(&printer, back).await);
        assert!(late >= Duration::from_millis(100), "{late:?}");
        assert!(late < Duration::from_millis(100) + GOOD * 2, "{late:?}");
        assert!(quick < GOOD, "{quick:?}");
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", clear = true } }"#,
        )
        .await;
        let again = takes(&laptop, out).await;
        assert!(again < GOOD, "{again:?}");
    });
}

#[test]
fn as_many_are_lost_as_are_to_be_and_all_are_counted() {
    let many = (400, 100, Duration::from_millis(1));
    with_lab(async |mut lab| {
        let (laptop, printer) = (
            bound(&lab, "laptop", LAPTOP),
            bound(&lab, "printer", PRINTER),
        );
        let (out, back) = ((&printer, PRINTER), (&laptop, LAPTOP));
        assert_eq!(sent(&laptop, out, many).await.len(), 400, "the control");
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", loss = "30%", way = "out" } }"#,
        )
        .await;
        let arrived = sent(&laptop, out, many).await.len();
        // Six standard deviations of 9.2 to either side.
        assert!((225..=335).contains(&arrived), "{arrived} of 400");
        assert_eq!(sent(&printer, back, many).await.len(), 400, "the other way");
        let said = done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", clear = true } }"#,
        )
        .await;
        let lost = said
            .split_once(" carried, ")
            .and_then(|(_, rest)| rest.split_once(" lost"));
        let lost: usize = lost.expect("a tally").0.parse().expect("a number");
        // Beside the datagrams there are a few frames of ARP, which can be lost as well.
        assert!(
            (400 - arrived..=400 - arrived + 5).contains(&lost),
            "{said}, {arrived} arrived"
        );
        assert_eq!(sent(&laptop, out, many).await.len(), 400, "afterwards");
    });
}

#[test]
fn a_rate_spreads_what_is_sent_at_once() {
    let at_once = (60, 1000, Duration::ZERO);
    with_lab(async |mut lab| {
        let (laptop, printer) = (
            bound(&lab, "laptop", LAPTOP),
            bound(&lab, "printer", PRINTER),
        );
        let out = (&printer, PRINTER);
        let span = |arrived: &[Arrival]| arrived[arrived.len() - 1].1 - arrived[0].1;
        let control = sent(&laptop, out, at_once).await;
        assert_eq!(control.len(), 60);
        assert!(
            span(&control) < Duration::from_millis(300),
            "{:?}",
            span(&control)
        );
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", rate = "1mbit" } }"#,
        )
        .await;
        let arrived = sent(&laptop, out, at_once).await;
        assert_eq!(arrived.len(), 60);
        assert!(in_order(&arrived));
        // 59 frames of 1042 bytes take 492 ms; the first may be late by a busy machine.
        let span = span(&arrived);
        assert!(span >= Duration::from_millis(400), "{span:?}");
        assert!(span < Duration::from_millis(1500), "{span:?}");
    });
}

#[test]
fn some_overtake_others_where_they_are_to_and_nowhere_else() {
    let spaced = (200, 100, Duration::from_millis(1));
    with_lab(async |mut lab| {
        let (laptop, printer) = (
            bound(&lab, "laptop", LAPTOP),
            bound(&lab, "printer", PRINTER),
        );
        let out = (&printer, PRINTER);
        assert!(in_order(&sent(&laptop, out, spaced).await), "the control");
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", delay = "50ms", jitter = "20ms" } }"#,
        )
        .await;
        let swaying = sent(&laptop, out, spaced).await;
        assert!(
            in_order(&swaying) && swaying.len() == 200,
            "jitter keeps the order"
        );
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", delay = "50ms", reorder = "25%" } }"#,
        )
        .await;
        let mixed = sent(&laptop, out, spaced).await;
        assert_eq!(mixed.len(), 200, "none is lost");
        assert!(!in_order(&mixed));
    });
}

#[test]
fn a_bad_link_stays_bad_in_another_net_and_without_its_cable_it_carries_nothing() {
    with_lab(async |mut lab| {
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", delay = "100ms", way = "out" } }"#,
        )
        .await;
        done(
            &mut lab,
            r#"{ roam = { on = "laptop", link = "eth0", to = "cafe", ip = "10.0.7.23" } }"#,
        )
        .await;
        let laptop = bound(&lab, "laptop", "10.0.7.23:9");
        let printer = bound(&lab, "cafe-printer", "10.0.7.20:9");
        let out = (&printer, "10.0.7.20:9");
        let late = takes(&laptop, out).await;
        assert!(late >= Duration::from_millis(100), "{late:?}");
        done(
            &mut lab,
            r#"{ link = { on = "laptop", link = "eth0", state = "unplugged" } }"#,
        )
        .await;
        let carrier = "cat /sys/class/net/eth0/carrier";
        assert_eq!(shell(&lab, "laptop", carrier).await, "0\n");
        done(
            &mut lab,
            r#"{ link = { on = "laptop", link = "eth0", state = "plugged" } }"#,
        )
        .await;
        assert_eq!(shell(&lab, "laptop", carrier).await, "1\n");
        let late = takes(&laptop, out).await;
        assert!(late >= Duration::from_millis(100), "{late:?}");
        assert_eq!(
            lab.broken_wires().expect("it can be told"),
            Vec::<String>::new()
        );
    });
}

#[test]
fn a_link_that_is_made_again_is_good() {
    with_lab(async |mut lab| {
        done(
            &mut lab,
            r#"{ impair = { on = "laptop", link = "eth0", delay = "100ms", way = "out" } }"#,
        )
        .await;
        lab_link(&mut lab, "deleted").await;
        lab_link(&mut lab, "recreated").await;
        let (laptop, printer) = (
            bound(&lab, "laptop", LAPTOP),
            bound(&lab, "printer", PRINTER),
        );
        let quick = takes(&laptop, (&printer, PRINTER)).await;
        assert!(quick < GOOD, "{quick:?}");
    });
}

async fn lab_link(lab: &mut Lab, state: &str) {
    let before = match state {
        "recreated" => r#"{ link = { on = "laptop", link = "eth0", state = "deleted" } }, "#,
        _ => "",
    };
    let act = format!(r#"{{ link = {{ on = "laptop", link = "eth0", state = "{state}" }} }}"#);
    let text = format!("{PAIR}\n[[step]]\ndo = [{before}{act}]\n");
    let file = parse(Path::new("act.toml"), &text).unwrap_or_else(|error| panic!("{error}"));
    match file.scenario.steps[0].acts.last() {
        Some(Act::Link(change)) => lab.change_link(change).await.expect("the link changes"),
        other => panic!("{other:?} is not of a link"),
    }
}

#[test]
fn a_wire_that_breaks_is_told() {
    with_lab(async |mut lab| {
        let bad = r#"{ impair = { on = "laptop", link = "eth0", delay = "1ms" } }"#;
        done(&mut lab, bad).await;
        let laptop = bound(&lab, "laptop", LAPTOP);
        let printer = bound(&lab, "printer", PRINTER);
        assert!(takes(&laptop, (&printer, PRINTER)).await < GOOD);
        let whole = lab.broken_wires().expect("it can be told");
        assert_eq!(whole, Vec::<String>::new(), "the control");
        // Somebody takes its other end away, behind the lab's back.
        let socket = lab.sandbox().switch_socket(SocketKind::Route);
        let switch = Netlink::from_socket(socket.expect("a socket")).expect("netlink");
        let links = switch.links().await.expect("the switch's links");
        let near = links.iter().find(|it| it.name.as_str().starts_with("near"));
        let near = near.expect("the wire's end").index;
        switch.delete_link(near).await.expect("it can be deleted");
        let broken = async {
            loop {
                laptop.send_to(&[0; 100], PRINTER).await.expect("sent");
                let broken = lab.broken_wires().expect("it can be told");
                if !broken.is_empty() {
                    return broken;
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        let broken = timeout(Duration::from_secs(10), broken).await;
        let broken = broken.expect("it is told");
        assert!(
            broken[0].starts_with("the wire of eth0 on laptop broke"),
            "{broken:?}"
        );
    });
}
