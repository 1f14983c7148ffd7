//! Labs that come and go within a test's process, and the helper that holds them.

mod common {
    pub(crate) mod copy;
    pub(crate) mod proc_table;
}

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use common::copy::copy_program;
use common::proc_table::ProcessTable;
use fps_lab::expect::reach;
use fps_lab::{Failure, FailureKind, Lab, LabBuilder, fixtures};

fn pair() -> LabBuilder {
    Lab::builder()
        .net("home", "192.168.188.0/24")
        .host("laptop", |h| h.link("eth0", "home", "192.168.188.112"))
        .host("printer", |h| h.link("eth0", "home", "192.168.188.20"))
}

/// A copy of the program that can be found in the process table.
fn own_helper(folder: &Path) -> PathBuf {
    let own = folder.join("fps-lab");
    copy_program(Path::new(env!("CARGO_BIN_EXE_fps-lab")), &own);
    own
}

/// The processes that run this program.
fn running(helper: &Path) -> Vec<String> {
    ProcessTable::read().with_program_below(helper.parent().expect("a folder"))
}

#[tokio::test]
async fn dropping_a_lab_ends_all_of_it() -> Result<(), Failure> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let helper = own_helper(folder.path());
    let lab = pair().helper(&helper).start().await?;
    lab.host("laptop").start("sleeper", ["sleep", "60"]).await?;
    // Which shows that its end would be seen.
    assert!(!running(&helper).is_empty());
    drop(lab);
    assert_eq!(running(&helper), Vec::<String>::new());
    Ok(())
}

#[test]
fn a_test_that_panics_leaves_no_lab() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let helper = own_helper(folder.path());
    let plan = pair().helper(&helper);
    let panicked = std::thread::spawn(move || {
        let lab = plan.start().wait().expect("a lab");
        let failure = lab
            .expect(reach("laptop", "192.168.188.99").within_ms(50))
            .wait();
        failure.unwrap()
    });
    let panic = panicked.join().expect_err("nobody is 192.168.188.99");
    let text = panic.downcast_ref::<String>().expect("a text");
    assert!(text.contains("reach laptop -> 192.168.188.99"), "{text}");
    assert!(
        text.contains("\n    | laptop decides about 192.168.188.99"),
        "{text}"
    );
    assert_eq!(running(&helper), Vec::<String>::new());
}

#[tokio::test]
async fn an_act_that_hangs_ends_with_its_lab() -> Result<(), Failure> {
    let lab = pair().start().await?;
    let sleep = lab
        .host("laptop")
        .run(["sleep", "60"])
        .within(std::time::Duration::from_secs(60));
    let begin = std::time::Instant::now();
    let patience = std::time::Duration::from_millis(50);
    tokio::time::timeout(patience, sleep.into_future())
        .await
        .expect_err("it sleeps");
    drop(lab);
    assert!(begin.elapsed().as_secs() < 30, "{:?}", begin.elapsed());
    Ok(())
}

#[tokio::test]
async fn several_labs_stand_side_by_side() -> Result<(), Failure> {
    let labs = (0..4).map(|_| pair().start());
    let labs = futures_util::future::try_join_all(labs).await?;
    let checks = labs
        .iter()
        .map(|lab| lab.expect(reach("laptop", "printer")));
    futures_util::future::try_join_all(checks).await?;
    let mut folders: Vec<_> = labs.iter().map(Lab::folder).collect();
    folders.dedup();
    assert_eq!(folders.len(), 4, "each has a folder of its own");
    Ok(())
}

#[tokio::test]
async fn refuses_a_helper_of_another_build() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let stale = folder.path().join("fps-lab");
    let mut program = fs::read(env!("CARGO_BIN_EXE_fps-lab")).expect("the program");
    let build = env!("FPS_LAB_BUILD").as_bytes();
    let places: Vec<usize> = (0..program.len() - build.len())
        .filter(|at| program[*at..].starts_with(build))
        .collect();
    assert!(!places.is_empty(), "it holds the name of its build");
    for at in places {
        program[at..at + build.len()].fill(b'0');
    }
    let written = folder.path().join("written");
    fs::write(&written, program).expect("room for a copy");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&written, mode).expect("it is ours");
    copy_program(&written, &stale);
    let failure = home_refused(&stale).await;
    assert_eq!(failure.kind(), FailureKind::NoLab);
    let text = failure.to_string();
    assert!(
        text.contains("was built from other sources than this program"),
        "{text}"
    );
    assert!(text.contains("cargo build -p fps-lab"), "{text}");
    assert!(text.contains(&stale.display().to_string()), "{text}");
}

#[tokio::test]
async fn refuses_a_helper_that_is_no_lab() {
    let failure = home_refused(Path::new("/bin/true")).await;
    assert_eq!(failure.kind(), FailureKind::NoLab);
    assert!(
        failure
            .to_string()
            .contains("it must be an fps-lab program"),
        "{failure}"
    );
}

async fn home_refused(helper: &Path) -> Failure {
    fixtures::home_nat()
        .helper(helper)
        .start()
        .await
        .unwrap_err()
}

/// Set for the test below in a process of its own.
const SEARCHES: &str = "FPS_LAB_TEST_SEARCHES";

/// What this test says, run again alone, as a program in another place and with another environment.
fn searched(place: &Path, set: &[(&str, &Path)]) -> String {
    let program = place.join("a-test");
    copy_program(&env::current_exe().expect("this program"), &program);
    let mut command = Command::new(&program);
    command.args(["--exact", "the_helper_is_found", "--nocapture"]);
    command
        .env_remove("CARGO_MANIFEST_DIR")
        .env_remove("CARGO_TARGET_DIR");
    command
        .env_remove("FPS_LAB_BIN")
        .env("PATH", "/usr/bin:/bin")
        .env(SEARCHES, "1");
    command.envs(set.iter().copied());
    let output = command.output().expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

#[tokio::test]
async fn the_helper_is_found() {
    let program = Path::new(env!("CARGO_BIN_EXE_fps-lab"));
    if env::var_os(SEARCHES).is_some() {
        match fixtures::home_nat().start().await {
            Ok(_) => println!("IT STANDS"),
            Err(failure) => println!("{failure}"),
        }
        return;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let target = folder.path().join("target/debug");
    fs::create_dir_all(target.join("deps")).expect("room for folders");
    let deps = target.join("deps");
    let said = searched(&deps, &[]);
    assert!(said.contains("there is no program `fps-lab`"), "{said}");
    assert!(
        said.contains("`cargo build --manifest-path ") && said.contains("FPS_LAB_BIN"),
        "{said}"
    );
    let said = searched(&deps, &[("FPS_LAB_BIN", Path::new("/nowhere/fps-lab"))]);
    assert!(
        said.contains("FPS_LAB_BIN is /nowhere/fps-lab, and there is no such file"),
        "{said}"
    );
    let said = searched(&deps, &[("FPS_LAB_BIN", program)]);
    assert!(said.contains("IT STANDS"), "{said}");
    let said = searched(&deps, &[("PATH", program.parent().expect("a folder"))]);
    assert!(said.contains("IT STANDS"), "{said}");
    // As that of a doctest, which runs in a folder for temporary files.
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    copy_program(program, &target.join("fps-lab"));
    let said = searched(elsewhere.path(), &[("CARGO_MANIFEST_DIR", folder.path())]);
    assert!(said.contains("IT STANDS"), "{said}");
    let said = searched(&deps, &[]);
    assert!(said.contains("IT STANDS"), "{said}");
}
