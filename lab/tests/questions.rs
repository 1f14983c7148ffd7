//! Questions that are asked beside each other.

mod common {
    pub(crate) mod live;
}

use std::net::IpAddr;
use std::time::Duration;

use common::live::{build, host, shell};
use fps_lab::probe::{Answer, Question};
use fps_lab::scenario::{HostName, Load, Probe, ProbeProtocol, Sender};

const LAB: &str = r#"
title    = "A router that has no way to one of two"
sabotage = []
why      = "a test of the lab itself"

[net.home]
v4 = "192.168.188.0/24"

[host.laptop]
link.eth0 = { net = "home", ip = "192.168.188.112", via = "192.168.188.1" }

[host.router]
forward  = true
link.lan = { net = "home", ip = "192.168.188.1" }

[[step]]
do = { run = { on = "laptop", command = ["true"] } }
"#;

fn echo(from: &HostName, address: &str) -> Probe<IpAddr> {
    Probe {
        from: from.clone(),
        to: None,
        address: address.parse().expect("an address"),
        protocol: ProbeProtocol::Icmp,
        sender: Sender::default(),
        load: Load::default(),
    }
}

/// A raw socket that is not connected yet hears of every ICMP error that comes to its host.
#[tokio::test]
async fn what_is_said_of_one_question_is_not_taken_for_the_answer_of_another() {
    let lab = build(env!("CARGO_BIN_EXE_fps-lab").as_ref(), LAB).await;
    let laptop = host(&lab, "laptop").id();
    let hosts = lab.hosts().map(|(name, _)| name);
    let mut named = hosts.filter(|name| name.as_str() == "laptop");
    let name = named.next().expect("it was built").clone();
    let question = |to: &str| {
        let question = Question::new(lab.sandbox(), laptop, &echo(&name, to), None);
        question.expect("it can be asked")
    };
    let way = shell(&lab, "laptop", "ip route get 203.0.113.1").await;
    assert!(way.contains("via 192.168.188.1"), "{way}");
    let patience = Duration::from_secs(5);
    let waits = question("192.168.188.1");
    let other = question("203.0.113.1").ask(patience).await;
    // The positive control: an error came.
    let other = other.expect("it was asked").answer;
    assert!(matches!(other, Answer::NoWay(_)), "{other:?}");
    let answer = waits.ask(patience).await.expect("it was asked").answer;
    assert!(answer.is_echo(), "{answer:?}");
}
