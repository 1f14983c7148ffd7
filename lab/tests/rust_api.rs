//! The lab as a library for tests: from topology to assertion.

use std::time::Duration;

use fps_lab::act::{
    addr, dns, firewall, footprint, link_down, roam, routes, rule, run, stop, unplug,
};
use fps_lab::expect::{
    counter, kernel, no_carrier_loop, not_asked, outage, prints, reach, resolves, says, silent,
    throughput, unchanged, unreachable,
};
use fps_lab::fixtures::{self, MARK};
use fps_lab::{Failure, FailureKind, Lab, LabBuilder};

/// A laptop behind a router, and a web server: what the front page has.
fn home() -> LabBuilder {
    Lab::builder()
        .net("home", "192.168.188.0/24")
        .net("internet", "203.0.113.0/24")
        .host("laptop", |h| {
            h.link("eth0", "home", "192.168.188.112")
                .via("192.168.188.1")
        })
        .host("router", |h| {
            h.link("lan", "home", "192.168.188.1")
                .link("wan", "internet", "203.0.113.1")
                .nat("wan")
        })
        .host("web", |h| {
            h.link("eth0", "internet", "203.0.113.80").serve_tcp(80)
        })
}

#[tokio::test]
async fn a_laptop_reaches_the_web_by_its_link_and_not_without_it() -> Result<(), Failure> {
    let lab = home().start().await?;
    lab.expect(reach("laptop", "web").tcp().via("eth0").within_secs(2))
        .await?;
    lab.act(unplug("laptop", "eth0")).await?;
    lab.expect(unreachable("laptop", "web").for_ms(200)).await
}

#[tokio::test]
async fn what_other_programs_do_has_words_too() -> Result<(), Failure> {
    let lab = home().start().await?;
    lab.act(firewall("router", "forward").tcp().port(80).reject())
        .await?;
    lab.expect(unreachable("laptop", "web").tcp().for_ms(200))
        .await?;
    lab.act(firewall("router", "forward").clear()).await?;
    lab.step("by hand")
        .act(
            rule("laptop")
                .priority(70)
                .to("10.0.0.0/8")
                .refuses("prohibit"),
        )
        .act(addr("laptop", "eth0", "192.168.188.113"))
        .act(run("laptop", ["sh", "-c", "exit 3"]).exit(3))
        .act(
            footprint("tailscale", "laptop")
                .set("tun", "eth0")
                .set("gateway", "192.168.188.1"),
        )
        .expect(reach("laptop", "web").tcp())
        .expect(kernel("laptop").rules(["70: to 10.0.0.0/8 prohibit", "5270: lookup 52"]))
        .expect(kernel("laptop").addresses("192.168.188.113/24 dev eth0"))
        .expect(prints("laptop", ["echo", "well met"], "well met\n"))
        .expect(throughput("laptop", "web", 0.05).of("router", "web"))
        .await
}

#[tokio::test]
async fn a_name_server_can_say_something_else() -> Result<(), Failure> {
    let lab = home()
        .host("names", |h| {
            h.link("eth0", "internet", "203.0.113.53")
                .zone("example.net", "www A 203.0.113.80")
        })
        .host("asker", |h| {
            h.link("eth0", "internet", "203.0.113.99")
                .name_servers("203.0.113.53")
        })
        .start()
        .await?;
    lab.expect(resolves("asker", "www.example.net", "203.0.113.80"))
        .await?;
    lab.act(dns("names").zone("example.net", "www A 203.0.113.81"))
        .await?;
    lab.expect(resolves("asker", "www.example.net", "203.0.113.81"))
        .await?;
    lab.act(dns("names").manner("example.net", "refuses"))
        .await?;
    lab.expect(resolves("asker", "www.example.net", "refused").set("by", "udp"))
        .await?;
    lab.act(dns("names").as_usual()).await?;
    lab.expect(resolves("asker", "www.example.net", "203.0.113.81"))
        .await
}

#[tokio::test]
async fn a_full_tunnel_has_no_carrier_loop_and_survives_a_roam() -> Result<(), Failure> {
    let lab = fixtures::full_tunnel().start().await?;
    lab.act(routes("server").tun_address("10.66.0.1/30").mtu(1280))
        .await?;
    let full = routes("laptop")
        .tun_address("10.66.0.2/30")
        .mtu(1280)
        .full_tunnel_except(MARK);
    lab.step("at home")
        .act(full.endpoint("server").keep_lan().watch())
        .expect(reach("laptop", "web").tcp().via("fpsc0"))
        .expect(reach("laptop", "printer").via("wlan0"))
        .expect(no_carrier_loop("laptop").for_ms(300))
        .await?;
    lab.step("to the café")
        .act(
            roam("laptop", "wlan0", "cafe", "10.0.7.23")
                .via("10.0.7.1")
                .metric(600),
        )
        .expect(outage("laptop", "web", Duration::from_secs(2)))
        .expect(reach("laptop", "cafe-printer").via("wlan0").within_secs(2))
        .await?;
    lab.act(stop("routes")).await
}

#[tokio::test]
async fn a_name_leads_to_the_web_and_only_its_server_is_asked() -> Result<(), Failure> {
    let lab = fixtures::dns().start().await?;
    lab.expect(resolves("laptop", "www.example.net", "203.0.113.80").asked("name-server"))
        .await?;
    lab.expect(resolves("laptop", "nobody.example.net", "no-name").by("udp"))
        .await?;
    lab.host("laptop")
        .run(["getent", "ahosts", "www.example.net"])
        .await?;
    // Which the server has seen, so the same expectation can fail.
    let failure = lab
        .expect(not_asked("name-server", "www.example.net"))
        .await
        .unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Expectation, "{failure}");
    Ok(())
}

#[tokio::test]
async fn only_the_intranet_goes_into_a_split_tunnel() -> Result<(), Failure> {
    let lab = fixtures::split_tunnel().start().await?;
    lab.act(routes("server").tun_address("10.66.0.1/30").mtu(1280))
        .await?;
    let laptop = routes("laptop").tun_address("10.66.0.2/30").mtu(1280);
    lab.act(laptop.route("10.66.1.0/24")).await?;
    lab.expect(reach("laptop", "intranet").tcp().via("fpsc0"))
        .await?;
    lab.expect(reach("laptop", "printer").tcp().via("wlan0"))
        .await?;
    lab.expect(silent("laptop", "fpsc0").to("web").for_ms(100))
        .await
}

#[test]
fn a_test_needs_no_runtime() -> Result<(), Failure> {
    let lab = home().start().wait()?;
    lab.expect(reach("laptop", "web").tcp()).wait()?;
    let routes = lab
        .host("laptop")
        .run(["ip", "route", "show", "default"])
        .wait()?;
    assert_eq!(
        routes.text().trim(),
        "default via 192.168.188.1 dev eth0 proto dhcp"
    );
    Ok(())
}

#[tokio::test]
async fn programs_run_in_hosts() -> Result<(), Failure> {
    let lab = home().start().await?;
    let host = lab.host("laptop");
    assert_eq!(host.run(["printf", "no line"]).await?.text(), "no line");
    let ended = host.run(["sh", "-c", "echo oh; exit 3"]).any_exit().await?;
    assert_eq!((ended.code(), ended.text()), (Some(3), "oh\n"));
    host.run(["false"]).exit(1).await?;
    let failure = host.run(["false"]).await.unwrap_err();
    assert!(failure.to_string().contains("exit code 1"), "{failure}");
    // It has broken nothing.
    let echo = "echo begins; exec sleep 60";
    let sleeper = host
        .start("sleeper", ["sh", "-c", echo])
        .ready_when_it_says("begins")
        .await?;
    lab.expect(says("sleeper", "begins")).await?;
    assert_eq!(sleeper.lines().await?, ["begins"]);
    sleeper.stop().await?;
    sleeper.start().await?;
    sleeper.kill().await
}

#[tokio::test]
async fn a_program_that_dies_fails_what_is_expected_next() -> Result<(), Failure> {
    let lab = home().start().await?;
    let dying = ["sh", "-c", "echo here; read -r line < /run/goes"];
    lab.host("laptop").run(["mkfifo", "/run/goes"]).await?;
    lab.host("laptop")
        .start("dying", dying)
        .ready_when_it_says("here")
        .await?;
    lab.expect(reach("laptop", "web")).await?;
    lab.host("laptop")
        .run(["sh", "-c", "echo > /run/goes"])
        .await?;
    let failure = loop {
        // Its end comes by another way than the end of what has caused it.
        if let Err(failure) = lab.expect(reach("laptop", "web")).await {
            break failure;
        }
    };
    assert_eq!(failure.kind(), FailureKind::Act);
    assert!(
        failure.to_string().contains("dying on laptop has ended"),
        "{failure}"
    );
    Ok(())
}

#[tokio::test]
async fn what_an_act_causes_is_seen_by_what_is_expected_after_it() -> Result<(), Failure> {
    let lab = home().host("web", |h| h.serve_http(8080)).start().await?;
    lab.host("laptop")
        .run(["curl", "-sS", "http://203.0.113.80:8080/"])
        .await?;
    lab.expect(counter("web", "eth0.rx_packets").at_least(3))
        .await?;
    let failure = lab
        .expect(silent("web", "eth0").for_ms(50))
        .await
        .unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Expectation, "{failure}");
    // A new act begins a new step, to which the old packets are nothing.
    lab.host("laptop").run(["true"]).await?;
    lab.expect(silent("web", "eth0").to("router:wan").for_ms(50))
        .await
}

#[tokio::test]
async fn a_host_is_compared_with_a_moment_that_is_remembered() -> Result<(), Failure> {
    let lab = home().start().await?;
    lab.remember("before").await?;
    lab.host("laptop")
        .run(["ip", "route", "add", "10.0.0.0/8", "via", "192.168.188.1"])
        .await?;
    let failure = lab
        .expect(unchanged("laptop", "before").within_ms(100))
        .await
        .unwrap_err();
    assert!(failure.to_string().contains("10.0.0.0/8"), "{failure}");
    lab.host("laptop")
        .run(["ip", "route", "del", "10.0.0.0/8"])
        .await?;
    lab.expect(unchanged("laptop", "before").within_secs(2))
        .await
}

#[tokio::test]
async fn whatever_the_scenario_format_has_can_be_said() -> Result<(), Failure> {
    let lab = home()
        .toml("[host.web]\nserve = { udp = [53] }")
        .start()
        .await?;
    lab.act(r#"impair = { on = "laptop", link = "eth0", delay = "20ms" }"#)
        .await?;
    lab.expect(r#"reach = { from = "laptop", to = "web", with = "udp" }"#)
        .await?;
    lab.act(r#"{ impair = { on = "laptop", link = "eth0", clear = true } }"#)
        .await
}

#[tokio::test]
async fn a_mistake_is_shown_with_its_place_and_changes_nothing() -> Result<(), Failure> {
    let lab = home().start().await?;
    let failure = lab.expect(reach("laptop", "webb")).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Mistake);
    let text = failure.to_string();
    assert!(text.contains("there is no host `webb`"), "{text}");
    assert!(
        text.contains("did you mean `web`?") && text.contains("reach = {"),
        "{text}"
    );
    let failure = lab.expect("reach = {").await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Mistake);
    let failure = lab.act(unplug("laptop", "eth1")).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Mistake);
    let late = outage("laptop", "web", Duration::from_secs(1));
    lab.act(link_down("web", "eth0")).await?;
    let failure = lab.expect(late).await.unwrap_err();
    assert!(failure.to_string().contains("lab.step("), "{failure}");
    lab.expect(unreachable("laptop", "web").for_ms(100)).await
}

#[tokio::test]
async fn a_mistake_in_a_lab_is_told_before_anything_is_built() {
    let failure = home()
        .host("lonely", |h| h.via("192.168.188.1"))
        .start()
        .await
        .unwrap_err();
    assert!(
        failure
            .to_string()
            .contains("the host lonely: `via` is of the link"),
        "{failure}"
    );
    let failure = home().net("home", "10.0.0.0/8").start().await.unwrap_err();
    assert!(failure.to_string().contains("two v4 subnets"), "{failure}");
    let outside = home().host("printer", |h| h.link("eth0", "home", "10.0.0.1"));
    let failure = outside.start().await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Mistake, "{failure}");
    assert!(failure.to_string().contains("10.0.0.1"), "{failure}");
}

#[tokio::test]
async fn nothing_is_done_behind_an_act_that_failed() -> Result<(), Failure> {
    let lab = home().start().await?;
    let gone = r#"route = { on = "laptop", to = "10.0.0.0/8", action = "delete" }"#;
    let failure = lab.act(gone).await.unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Act, "{failure}");
    let failure = lab.expect(reach("laptop", "web")).await.unwrap_err();
    assert!(
        failure.to_string().contains("this went wrong before"),
        "{failure}"
    );
    Ok(())
}

#[tokio::test]
async fn a_file_is_played_by_its_own_steps_and_goes_on() -> Result<(), Failure> {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../scenarios/lan/closed-three-ways.toml"
    );
    let lab = Lab::from_file(file)?.start().await?;
    lab.play().await?;
    // It is a scenario, as it stands.
    let text = lab.to_toml().await?;
    let read = fps_lab::scenario::parse(file.as_ref(), &text);
    let original = fps_lab::scenario::load(file.as_ref());
    let (read, original) = (
        read.expect("valid").scenario,
        original.expect("valid").scenario,
    );
    assert_eq!(read.steps[1..], original.steps);
    assert_eq!((read.hosts, read.nets), (original.hosts, original.nets));
    Ok(())
}
