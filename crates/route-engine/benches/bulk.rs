//! How long 100 000 routes take, beside `ip -batch` in the same run, and 1000.
//!
//! Needs root or user namespaces, and iproute2. It makes a network namespace of its own. It prints
//! the quickest round and the median of each, and how the quickest compares with that of `ip -batch`;
//! by the quickest the limits go, since what else the machine does only ever adds. It fails where a
//! limit is exceeded.

#[path = "support/limits.rs"]
mod limits;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use fps_netlink::{IfIndex, Netlink, Route, RulePriority, TableId};
use fps_netns::Namespace;
use fps_route::{
    Action, Engine, Executor, FullTunnel, Intent, KeepLan, Numbering, Selector, Store,
};

const MANY: usize = 100_000;
const FEW: usize = 1000;
const ROUNDS: usize = 9;

/// To carry out 100 000 routes, as a share of the time of `ip -batch`.
const APPLY_LIMIT: f64 = 0.25;
/// To see that 100 000 routes stand.
const DIFF_LIMIT: Duration = Duration::from_millis(150);
/// To apply 1000.
const FEW_LIMIT: Duration = Duration::from_millis(10);

struct Bench {
    namespace: Namespace,
    netlink: Netlink,
    folder: tempfile::TempDir,
    engine: Engine,
    link: IfIndex,
}

/// Networks of 24 bits, from 10.0.0.0 upwards.
fn nets(count: usize) -> Vec<String> {
    let net = |at: usize| {
        let (a, b, c) = (10 + (at >> 16), at >> 8 & 0xff, at & 0xff);
        format!("{a}.{b}.{c}.0/24")
    };
    (0..count).map(net).collect()
}

fn intent(count: usize) -> Intent {
    let routes = nets(count).iter().map(|net| net.parse().unwrap()).collect();
    let full = FullTunnel {
        leak_guard: false,
        table: TableId(100),
        priority: RulePriority(10000),
        selectors: vec![Selector::Marked(fps_netlink::Fwmark(17))],
        bypasses: Vec::new(),
        lan: Some(KeepLan::default()),
    };
    let intent = Intent::new("fpsc0".parse().unwrap(), vec![], None, routes).unwrap();
    intent.with_full_tunnel(full).unwrap()
}

impl Bench {
    async fn new() -> Self {
        let namespace = Namespace::create().expect("root, or a user namespace");
        let folder = tempfile::tempdir().unwrap();
        let netlink = namespace.within(Netlink::open).unwrap().unwrap();
        netlink
            .create_bridge(&"fpsc0".parse().unwrap())
            .await
            .unwrap();
        let link = netlink
            .link(&"fpsc0".parse().unwrap())
            .await
            .unwrap()
            .unwrap();
        let open = || {
            Engine::new(
                Executor::open().unwrap(),
                Store::open(folder.path()).unwrap(),
            )
        };
        let engine = namespace.within(open).unwrap();
        Self {
            namespace,
            netlink,
            folder,
            engine,
            link: link.index,
        }
    }

    fn file(&self, name: &str, lines: impl Iterator<Item = String>) -> PathBuf {
        let path = self.folder.path().join(name);
        let mut text = String::new();
        lines.for_each(|line| writeln!(text, "{line}").unwrap());
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Runs a program in the namespace, which must succeed.
    fn run(&self, program: &str, arguments: &[&str]) -> Duration {
        let mut command = Command::new(program);
        command.args(arguments).stdout(Stdio::null());
        command.env("FPS_ROUTE_STATE_DIR", self.folder.path());
        let start = Instant::now();
        let status = self.namespace.within(|| command.status()).unwrap();
        let took = start.elapsed();
        let status = status.unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(status.success(), "{program} {arguments:?}: {status}");
        took
    }

    /// Looks, carries out, and says how long each took, and how many steps there were.
    async fn act(&self, action: Action, intent: Intent) -> (Duration, Duration, usize) {
        let start = Instant::now();
        let begun = self
            .engine
            .begin(action, intent, Numbering::Fixed)
            .await
            .unwrap();
        let looked = start.elapsed();
        let steps = begun.transaction().needed().steps.len();
        let start = Instant::now();
        match action {
            Action::Cleanup { .. } => assert!(begun.clean_up().await.is_empty()),
            _ => assert!(begun.apply().await.unwrap().is_empty()),
        }
        (looked, start.elapsed(), steps)
    }

    async fn one_by_one(&self, routes: &[Route]) -> Duration {
        let start = Instant::now();
        for route in routes {
            self.netlink.add_route(route).await.unwrap();
        }
        start.elapsed()
    }
}

#[derive(Default)]
struct Times {
    batch: Vec<Duration>,
    one_by_one: Vec<Duration>,
    apply: Vec<Duration>,
    diff: Vec<Duration>,
    cleanup: Vec<Duration>,
    command: Vec<Duration>,
    few: Vec<Duration>,
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn quickest(times: &[Duration]) -> Duration {
    times.iter().min().copied().unwrap_or_default()
}

async fn round(bench: &Bench, batch: &Path, list: &Path, times: &mut Times) {
    bench.netlink.set_up(bench.link).await.unwrap();
    let path = |path: &Path| path.to_str().unwrap().to_owned();
    times.batch.push(bench.run("ip", &["-batch", &path(batch)]));
    // A device that goes down takes its routes with it at once.
    bench.netlink.set_down(bench.link).await.unwrap();
    bench.netlink.set_up(bench.link).await.unwrap();

    let route = |net: &String| Route::new(net.parse().unwrap()).on_link(bench.link);
    let routes: Vec<_> = nets(MANY)
        .iter()
        .map(|net| route(net).in_table(TableId(100)))
        .collect();
    times.one_by_one.push(bench.one_by_one(&routes).await);
    bench.netlink.set_down(bench.link).await.unwrap();
    bench.netlink.set_up(bench.link).await.unwrap();

    let (looked, applied, steps) = bench.act(Action::Apply, intent(MANY)).await;
    assert!(steps > MANY);
    times.apply.push(looked + applied);
    let (looked, _, steps) = bench.act(Action::Apply, intent(MANY)).await;
    assert_eq!(steps, 0);
    times.diff.push(looked);
    let cleanup = Action::Cleanup { down: false };
    let (looked, cleaned, steps) = bench.act(cleanup, intent(MANY)).await;
    assert!(steps > MANY);
    times.cleanup.push(looked + cleaned);

    let program = env!("CARGO_BIN_EXE_fps-route");
    let list = path(list);
    let options = [
        "apply",
        "--tun",
        "fpsc0",
        "--full-tunnel",
        "--keep-lan",
        "--fwmark",
        "17",
    ];
    let arguments = [&options[..], &["--no-dns", "--routes-file", &list]].concat();
    times.command.push(bench.run(program, &arguments));
    bench.run(program, &["cleanup", "--tun", "fpsc0", "--no-dns"]);

    let (looked, applied, steps) = bench.act(Action::Apply, intent(FEW)).await;
    assert!(steps > FEW);
    times.few.push(looked + applied);
    bench.act(cleanup, intent(FEW)).await;
}

async fn run() -> bool {
    let bench = Bench::new().await;
    let lines = nets(MANY);
    let batch = lines
        .iter()
        .map(|net| format!("route replace {net} dev fpsc0 table 100"));
    let batch = bench.file("batch", batch);
    let list = bench.file("list", lines.into_iter());
    let mut times = Times::default();
    for _ in 0..ROUNDS {
        round(&bench, &batch, &list, &mut times).await;
    }
    let base = quickest(&times.batch);
    println!("100 000 routes into a table of their own, {ROUNDS} rounds:");
    println!("{:33} quickest    median   share of `ip -batch`", "");
    for (name, times) in [
        ("`ip -batch`", &mut times.batch),
        ("rtnetlink, one by one", &mut times.one_by_one),
        ("engine: look and apply", &mut times.apply),
        ("engine: look where all stand", &mut times.diff),
        ("engine: look and clean up", &mut times.cleanup),
        ("the command `fps-route apply`", &mut times.command),
        ("engine: look and apply 1000", &mut times.few),
    ] {
        let (quickest, median) = (quickest(times), median(times));
        let share = quickest.as_secs_f64() / base.as_secs_f64();
        let millis = |it: Duration| it.as_secs_f64() * 1e3;
        println!(
            "  {name:31} {:6.1} ms {:6.1} ms {share:6.2}",
            millis(quickest),
            millis(median)
        );
    }
    let share = quickest(&times.apply).as_secs_f64() / base.as_secs_f64();
    let (diff, few) = (quickest(&times.diff), quickest(&times.few));
    limits::judge([
        (
            format!("apply: at most {APPLY_LIMIT} of `ip -batch`"),
            share <= APPLY_LIMIT,
        ),
        (
            format!("look where all stand: at most {DIFF_LIMIT:?}"),
            diff <= DIFF_LIMIT,
        ),
        (
            format!("1000 routes: at most {FEW_LIMIT:?}"),
            few <= FEW_LIMIT,
        ),
    ])
}

fn main() -> ExitCode {
    limits::run(run())
}
