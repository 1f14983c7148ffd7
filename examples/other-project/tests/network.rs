//! Tests of a project that is not FPS Lab.

use fps_lab::expect::{reach, unreachable};
use fps_lab::fixtures::rstest::{dns, home_nat};
use fps_lab::{Failure, FailureKind, Lab, LabBuilder, act::unplug};
use other_project::SERVER;
use rstest::rstest;

#[rstest]
#[tokio::test]
async fn a_laptop_behind_nat_reaches_the_server(home_nat: LabBuilder) -> Result<(), Failure> {
    let lab = home_nat.start().await?;
    lab.expect(reach("laptop", SERVER).tcp().port(80).via("wlan0"))
        .await?;
    lab.act(unplug("laptop", "wlan0")).await?;
    lab.expect(unreachable("laptop", "web").for_ms(200)).await
}

#[rstest]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tasks_share_a_lab(dns: LabBuilder) -> Result<(), Failure> {
    let lab = std::sync::Arc::new(dns.start().await?);
    let other = std::sync::Arc::clone(&lab);
    let asks = tokio::spawn(async move {
        let getent = ["getent", "ahosts", "www.example.net"];
        Ok::<_, Failure>(other.host("laptop").run(getent).await?.to_string())
    });
    lab.expect(reach("laptop", "web").http()).await?;
    let found = asks.await.expect("the task ends")?;
    assert!(found.starts_with(SERVER), "{found}");
    Ok(())
}

#[test]
fn a_plain_test_waits() {
    let lab = Lab::builder()
        .net("home", "192.168.188.0/24")
        .host("laptop", |h| h.link("wlan0", "home", "192.168.188.112"))
        .start()
        .wait()
        .unwrap();
    let failure = lab
        .expect(reach("laptop", "192.168.188.1").within_ms(100))
        .wait()
        .unwrap_err();
    assert_eq!(failure.kind(), FailureKind::Expectation);
    assert!(
        failure
            .to_string()
            .contains("laptop decides about 192.168.188.1"),
        "{failure}"
    );
}
