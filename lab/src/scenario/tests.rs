//! Whole files through the front end.

use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use fps_netlink::LinkName;

use super::*;

const LAB: &str = r#"
title = "A lab to break"

[net.home]
v4 = "192.168.188.0/24"
[net.cafe]
v4 = "10.0.7.0/24"

[host.laptop]
link.wlan0 = { net = "home", ip = "192.168.188.112" }
[host.printer]
serve     = { tcp = [9100] }
link.eth0 = { net = "home", ip = "192.168.188.20" }
[host.tablet]
link.wlan0 = { net = "cafe", ip = "10.0.7.9" }

[program.portal]
on      = "laptop"
command = ["portal"]

[[step]]
name   = "down"
do     = { link = { on = "laptop", link = "wlan0", state = "down" } }
expect = [ { unreachable = { from = "laptop", to = "printer" } } ]

[[step]]
name = "roam"
do   = [
  { link = { on = "laptop", link = "wlan0", state = "up" } },
  { roam = { on = "laptop", link = "wlan0", to = "cafe", ip = "10.0.7.23" } },
]

[[step]]
expect = [
  { reach = { from = "tablet", to = "laptop" } },
  { reach = { from = "tablet", to = "laptop" } },
]

[[sabotage]]
name      = "the change at hand"
must-fail = ["reach tablet -> laptop"]
"#;

fn shipped(name: &str) -> ScenarioFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../scenarios")
        .join(name);
    load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn text(source: &str) -> Result<ScenarioFile, String> {
    parse(Path::new("lab.toml"), source).map_err(|error| error.to_string())
}

/// The scenario of `LAB` with a change in it.
fn changed(change: &str) -> Scenario {
    let file = text(&format!("{LAB}change = {change}\n")).unwrap_or_else(|error| panic!("{error}"));
    file.sabotages
        .into_iter()
        .next()
        .expect("there is a sabotage")
        .scenario
}

fn link(name: &str) -> LinkName {
    LinkName::new(name).expect("it is a valid name")
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("it is an address")
}

fn names(step: &Step) -> Vec<&str> {
    step.expect
        .iter()
        .map(|expectation| expectation.name.as_str())
        .collect()
}

#[test]
fn every_shipped_scenario_is_valid() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("scenarios are there") {
        let path = entry.expect("scenarios can be listed").path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            load(&path).unwrap_or_else(|error| panic!("{error}"));
            count += 1;
        }
    }
    assert!(count > 0);
}

#[test]
fn the_split_tunnel_reads_as_it_is_written() {
    let ScenarioFile {
        name,
        scenario,
        sabotages,
        ..
    } = shipped("split-tunnel.toml");
    assert_eq!(name, "split-tunnel");
    let laptop = &scenario.hosts[&HostName::new("laptop")];
    let wlan0 = Link {
        net: NetName::new("home"),
        addresses: ["192.168.188.112/24", "fd00:188::112/64"]
            .map(|address| address.parse().expect("it is an address"))
            .to_vec(),
        gateways: vec![ip("192.168.188.1"), ip("fd00:188::1")],
        metric: Some(600),
        dhcp: None,
        ra: None,
    };
    assert_eq!(laptop.links[&link("wlan0")], wlan0);
    let router = &scenario.hosts[&HostName::new("home-router")];
    assert!(router.forward);
    assert_eq!(router.nat, [link("wan")]);
    let tunnel = scenario.tunnel.as_ref().expect("there is a tunnel");
    assert_eq!(tunnel.endpoint, ip("203.0.113.10"));
    let Vpn::Fps(fps) = &tunnel.vpn else {
        panic!("the tunnel is {:?}", tunnel.vpn)
    };
    assert_eq!(fps.origin_address, ip("127.0.0.1"));
    assert_eq!(
        (&tunnel.client_tun, tunnel.autostart),
        (&link("fpsc0"), true)
    );
    let routes = Routes {
        on: HostName::new("laptop"),
        action: RoutesAction::Apply,
        tun: link("fpsc0"),
        tun_addresses: ["10.66.0.2/30", "fd66::2/126"]
            .map(|a| a.parse().expect("one"))
            .to_vec(),
        mtu: Some(1280),
        routes: ["10.66.1.0/24", "fd66:1::/64"]
            .map(|net| net.parse().expect("one"))
            .to_vec(),
        down: false,
        full_tunnel: None,
        dns: None,
        endpoints: Vec::new(),
        exit: 0,
    };
    assert_eq!(scenario.steps[1].acts, [Act::Routes(routes)]);
    assert_eq!(sabotages.len(), 5);
}

#[test]
fn the_split_tunnel_expects_what_it_says() {
    let scenario = shipped("split-tunnel.toml").scenario;
    let expect = &scenario.steps[1].expect;
    let reach = Reach {
        probe: Probe {
            from: HostName::new("laptop"),
            to: Some(HostName::new("intranet")),
            address: Target::Fixed(ip("10.66.1.20")),
            protocol: ProbeProtocol::Tcp(80),
            sender: Sender::default(),
            load: Load::default(),
        },
        via: Some(link("fpsc0")),
        when: When::Within(Duration::from_millis(400)),
    };
    assert_eq!(
        expect[1].name,
        "reach laptop -> intranet (tcp 80) via fpsc0"
    );
    assert_eq!(expect[1].check, Check::Reach(reach));
    let silent = Silent {
        on: HostName::new("laptop"),
        link: link("fpsc0"),
        peers: ["203.0.113.80", "2001:db8:203::80"]
            .map(|address| Target::Fixed(ip(address)))
            .to_vec(),
        direction: None,
        hold: Duration::from_millis(200),
    };
    assert_eq!(expect[10].check, Check::Silent(silent));
}

#[test]
fn an_altered_key_leaves_the_others() {
    let scenario = changed(r#"{ alter = { step = 1, do = { link = { state = "up" } } } }"#);
    let change = LinkChange {
        on: HostName::new("laptop"),
        link: link("wlan0"),
        state: LinkState::Up,
    };
    assert_eq!(scenario.steps[0].acts, [Act::Link(change)]);
}

#[test]
fn one_of_several_acts_is_altered_by_its_verb_or_its_place() {
    let by_verb = changed(r#"{ alter = { step = "roam", do = { roam = { ip = "10.0.7.24" } } } }"#);
    let by_place =
        changed(r#"{ alter = { step = "roam", do = [ {}, { roam = { ip = "10.0.7.24" } } ] } }"#);
    assert_eq!(by_verb, by_place);
    let Act::Roam(roam) = &by_verb.steps[1].acts[1] else {
        panic!("{:?}", by_verb.steps[1])
    };
    assert_eq!(
        roam.to.addresses,
        ["10.0.7.24/24".parse().expect("it is an address")]
    );
}

#[test]
fn a_probe_finds_a_host_where_it_has_roamed() {
    let target = |scenario: &Scenario| match &scenario.steps.last().expect("one").expect[0].check {
        Check::Reach(reach) => reach.probe.address.clone(),
        check => panic!("{check:?}"),
    };
    let unharmed = changed(r#"{ swap = { program = "portal", command = ["false"] } }"#);
    assert_eq!(target(&unharmed), Target::Fixed(ip("10.0.7.23")));
    assert_eq!(
        target(&changed("{ drop = \"roam\" }")),
        Target::Fixed(ip("192.168.188.112"))
    );
}

#[test]
fn numbers_mean_the_steps_of_the_file() {
    let act = r#"{ start = "portal" }"#;
    let scenario = changed(&format!(
        "[ {{ drop = 1 }}, {{ add = {{ after = 2, do = {act} }} }}, \
           {{ add = {{ after = 2, do = {act} }} }}, {{ add = {{ before = 3, do = {act} }} }} ]"
    ));
    let names: Vec<&str> = scenario
        .steps
        .iter()
        .map(|step| step.name.as_str())
        .collect();
    let added = [
        "added after `roam`",
        "added after `roam` (2)",
        "added before `step 3`",
    ];
    assert_eq!(names, [&["roam"], &added[..], &["step 3"]].concat());
}

#[test]
fn a_seed_stands_before_the_steps() {
    let act = r#"{ sysctl = { on = "laptop", key = "net.ipv4.ip_forward", value = 1 } }"#;
    let scenario = changed(&format!("{{ seed = {act} }}"));
    assert_eq!(scenario.seed.len(), 1);
    assert_eq!(scenario.steps.len(), 3);
}

#[test]
fn equal_expectations_get_numbers() {
    let scenario = changed("{ drop = 1 }");
    let last = scenario.steps.last().expect("there is a step");
    assert_eq!(
        names(last),
        ["reach tablet -> laptop", "reach tablet -> laptop (2)"]
    );
}

#[test]
fn a_mistake_is_told_once_however_many_sabotages_repeat_it() {
    let source = format!("{LAB}change = {{ drop = 1 }}\n").replace("192.168.188.20", "10.0.0.1");
    let error = text(&source).expect_err("the address is outside its net");
    assert_eq!(error.matches("error:").count(), 1, "{error}");
}
