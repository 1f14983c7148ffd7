//! What a test in Rust prints that fails, and what it leaves behind.

use fps_lab::act::routes;
use fps_lab::expect::reach;
use fps_lab::fixtures;
use fps_lab::{Failure, FailureKind, Lab};

/// A lab in which the route into the tunnel is missing.
async fn without_route() -> Result<(Lab, Failure), Failure> {
    let lab = fixtures::split_tunnel().start().await?;
    lab.act(routes("server").tun_address("10.66.0.1/30").mtu(1280))
        .await?;
    lab.act(routes("laptop").tun_address("10.66.0.2/30").mtu(1280))
        .await?;
    let wanted = reach("laptop", "intranet").tcp().via("fpsc0");
    let failure = lab.expect(wanted.within_ms(300)).await.unwrap_err();
    Ok((lab, failure))
}

/// Times, counts and the numbers of ports are of the moment, and so is the folder.
fn lasting(lab: &Lab, text: &str) -> String {
    let text = text.replace(&lab.folder().display().to_string(), "FOLDER");
    let replace = |text: &str, pattern: &str, with: &str| {
        let pattern = regex::Regex::new(pattern).expect("an expression");
        pattern.replace_all(text, with).into_owned()
    };
    let text = replace(&text, r"\d+(\.\d+)? (ms|µs)", "TIME");
    let text = replace(&text, r"(192\.168\.188\.112):\d{4,}", "$1:PORT");
    let text = replace(&text, r"(?m)^    \| .* in this step: .*\n", "");
    let text = replace(&text, r"(?m)^    \| \d+ x ", "    | N x ");
    replace(&text, r"of \d+ probes", "of N probes")
}

#[tokio::test]
async fn a_failure_explains_itself_as_the_command_does() -> Result<(), Failure> {
    let (lab, failure) = without_route().await?;
    assert_eq!(failure.kind(), FailureKind::Expectation);
    let text = lasting(&lab, &failure.to_string());
    let golden = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/rust_api/no-route.txt");
    if std::env::var_os("FPS_LAB_BLESS").is_some() {
        std::fs::write(golden, format!("{text}\n")).expect("write the text");
    }
    let expected = std::fs::read_to_string(golden).expect("the text");
    // Which packets were seen before the deadline depends on the moment; what they show does not.
    let telling = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::to_owned);
        let told = |line: &String| {
            ["reach ", "decides", "lookup", "likely:", "kept:"]
                .iter()
                .any(|it| line.contains(it))
        };
        lines.filter(told).collect()
    };
    assert_eq!(telling(&text), telling(&expected), "{text}");
    assert_eq!(
        failure.likely(),
        ["no table has a route for 10.66.1.20 by fpsc0"]
    );
    // `unwrap` and a test that returns an error print what `Debug` says.
    assert_eq!(format!("{failure:?}"), failure.to_string());
    Ok(())
}

#[tokio::test]
async fn a_failure_keeps_packets_and_what_plays_it_again() -> Result<(), Failure> {
    let (lab, _) = without_route().await?;
    let folder = lab.folder().to_owned();
    drop(lab);
    for file in [
        "step-1-laptop.pcapng",
        "step-1-laptop.json",
        "laptop.client.log",
    ] {
        assert!(
            folder.join(file).is_file(),
            "{file} in {}",
            folder.display()
        );
    }
    let again = std::process::Command::new(env!("CARGO_BIN_EXE_fps-lab"))
        .arg("run")
        .arg(folder.join("scenario.toml"))
        .arg("--out")
        .arg(folder.join("again"))
        .output()
        .expect("fps-lab runs");
    let said = String::from_utf8_lossy(&again.stdout);
    assert_eq!(again.status.code(), Some(1), "{said}");
    assert!(
        said.contains("likely: no table has a route for 10.66.1.20 by fpsc0"),
        "{said}"
    );
    Ok(())
}
