//! Pictures of labs: nothing in them overlaps, and `fps-lab graph` prints them.
//!
//! `FPS_LAB_BLESS=1 cargo test -p fps-lab --test graph` writes the pictures in `tests/pictures` anew; look
//! at them before you commit.

mod common {
    pub(crate) mod ended;
    pub(crate) mod overlaps;
    pub(crate) mod process;
}

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use common::ended::assert_says;
use common::overlaps::overlaps;
use common::process::Process;
use fps_lab::draw::{
    HostPart, Layout, LinkPart, NetPart, Plan, TunnelEnd, TunnelPart, mermaid, svg_file, text,
};
use fps_lab::report::Topology;
use fps_lab::run::collect;
use fps_lab::scenario::load;
use proptest::prelude::*;

/// More than any command here takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a terminal shows without breaking lines.
const WIDE: usize = 120;

fn scenarios() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios")
}

fn plan(path: &Path) -> Plan {
    let file = load(path).unwrap_or_else(|error| panic!("{error}"));
    Plan::of(&file.scenario.title, &Topology::from(&file.scenario))
}

fn library() -> Vec<(PathBuf, Plan)> {
    let paths = collect(&[scenarios()]).expect("there are scenarios");
    let plans = paths.into_iter().map(|path| (path.clone(), plan(&path)));
    plans.collect()
}

#[test]
fn nothing_overlaps_in_the_picture_of_any_scenario() {
    let library = library();
    assert!(library.len() > 60, "only {} scenarios", library.len());
    for (path, plan) in &library {
        let layout = Layout::of(plan);
        assert_eq!(layout.hosts.len(), plan.hosts.len(), "{}", path.display());
        let overlaps = overlaps(plan, &layout);
        assert!(
            overlaps.is_empty(),
            "{}: {overlaps:?}\n{}",
            path.display(),
            text(plan)
        );
        let widest = text(plan).lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(WIDE), "{}: {widest:?} wide", path.display());
    }
}

/// What an import makes of a host with many links: no usual arrangement can be drawn.
#[test]
fn a_host_in_many_nets_is_drawn() {
    let mut lab = String::from("title = \"x\"\nsabotage = []\nwhy = \"a test\"\n");
    let (mut links, mut routers) = (String::new(), String::new());
    for number in 0..6 {
        lab += &format!("[net.n{number}]\nv4 = \"10.{number}.0.0/24\"\n");
        links += &format!("link.l{number} = {{ net = \"n{number}\", ip = \"10.{number}.0.1\" }}\n");
    }
    for (number, last) in [(1, 3), (4, 5), (0, 6)] {
        routers += &format!(
            "[host.g{last}]\nlink.lan = {{ net = \"n{number}\", ip = \"10.{number}.0.77\" }}\n\
             link.wan = {{ net = \"i\", ip = \"10.9.0.{last}\" }}\n"
        );
    }
    lab += &format!("[net.i]\nv4 = \"10.9.0.0/24\"\n[host.customer]\n{links}{routers}");
    lab +=
        "[[step]]\nname = \"s\"\nexpect = { reach = { from = \"customer\", to = \"g3:lan\" } }\n";
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("many.toml");
    fs::write(&path, lab).expect("written");
    let plan = plan(&path);
    let layout = Layout::of(&plan);
    assert_eq!(layout.hosts.len(), 4);
    assert_eq!(overlaps(&plan, &layout), Vec::<String>::new());
}

/// The packets go by the uplink with the lower metric.
#[test]
fn the_marked_way_is_the_preferred_one() {
    let plan = plan(&scenarios().join("full-tunnel/second-uplink.toml"));
    let laptop = plan.hosts.iter().find(|host| host.name == "laptop");
    let links = laptop.expect("a laptop").links.iter();
    let marked: Vec<&str> = links
        .filter(|it| it.carries)
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(marked, ["eth0"]);
}

/// The positive control: each kind of part, moved onto another, is found.
#[test]
fn an_overlap_is_found() {
    let plan = plan(&scenarios().join("split-tunnel.toml"));
    let good = Layout::of(&plan);
    let found = |harm: &dyn Fn(&mut Layout)| {
        let mut layout = good.clone();
        harm(&mut layout);
        !overlaps(&plan, &layout).is_empty()
    };
    assert!(!found(&|_| {}));
    assert!(found(&|it| it.hosts[0].rect = it.hosts[1].rect));
    assert!(found(
        &|it| it.hosts[0].links[0].line = it.hosts[1].links[0].line
    ));
    assert!(found(&|it| it.hosts[0].links[0].above = it.hosts[1].rect));
    assert!(found(&|it| it.nets[0].label = it.nets[1].label));
    assert!(found(&|it| it.nets[0].x = it.nets[1].x));
    assert!(found(&|it| it.drops[0].line = it.hosts[1].rect));
    assert!(found(&|it| it.name = it.drops[0].label));
    assert!(found(&|it| it.width -= 1));
}

#[test]
fn the_tunnels_way_is_the_shortest_one_to_its_endpoint() {
    let plan = plan(&scenarios().join("split-tunnel.toml"));
    let carries = plan.hosts.iter().flat_map(|host| {
        let links = host.links.iter().filter(|link| link.carries);
        links.map(|link| format!("{}:{}", host.name, link.name))
    });
    let mut carries: Vec<String> = carries.collect();
    carries.sort();
    assert_eq!(
        carries,
        [
            "home-router:lan",
            "home-router:wan",
            "laptop:wlan0",
            "server:wan"
        ]
    );
}

#[test]
fn pictures_are_as_they_were() {
    for (name, file) in [
        ("split-tunnel", "split-tunnel.toml"),
        ("stub-watch", "dns/stub-watch.toml"),
    ] {
        let drawn = text(&plan(&scenarios().join(file)));
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/pictures/{name}.txt"));
        if std::env::var_os("FPS_LAB_BLESS").is_some() {
            fs::write(&path, &drawn).expect("write the picture");
        }
        let known =
            fs::read_to_string(&path).unwrap_or_else(|e| panic!("read {}: {e}", path.display()));
        assert_eq!(
            drawn,
            known,
            "{} is another picture; see FPS_LAB_BLESS above",
            path.display()
        );
    }
}

#[test]
fn the_picture_in_the_readme_is_that_of_its_scenario() {
    let drawn = svg_file(&plan(&scenarios().join("split-tunnel.toml")));
    let path = scenarios().join("../docs/split-tunnel.svg");
    if std::env::var_os("FPS_LAB_BLESS").is_some() {
        fs::write(&path, &drawn).expect("write the picture");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        drawn == known,
        "docs/split-tunnel.svg is another picture; see FPS_LAB_BLESS above"
    );
}

#[test]
fn what_a_file_says_is_no_markup() {
    let mut plan = plan(&scenarios().join("lan/link-down.toml"));
    plan.title = "<script>alert(\"1\")</script> & more".to_owned();
    plan.hosts[0].name = "\"><script>".to_owned();
    let svg = svg_file(&plan);
    assert_says(
        &svg,
        &["&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt; &amp; more"],
    );
    assert!(!svg.contains("<script"), "{svg}");
    assert_says(&mermaid(&plan), &["#quot;#gt;#lt;script#gt;"]);
}

fn graph(arguments: &[&str]) -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_fps-lab"));
    command
        .arg("graph")
        .args(arguments)
        .current_dir(scenarios());
    Process::start(command)
}

#[test]
fn the_command_prints_each_form() {
    let form = |form| {
        let arguments = ["split-tunnel.toml", "--as", form];
        graph(&arguments).finish(PATIENCE).expect_exit(0)
    };
    let plain = graph(&["split-tunnel.toml"])
        .finish(PATIENCE)
        .expect_exit(0);
    assert_eq!(plain, form("text"));
    assert_says(&plain, &["home-router", "192.168.188.0/24", "fpsc0"]);
    assert_says(
        &form("svg"),
        &[
            "<svg",
            "xmlns=\"http://www.w3.org/2000/svg\"",
            "home-router",
        ],
    );
    assert_says(
        &form("mermaid"),
        &[
            "flowchart LR",
            "([\"internal<br/>10.66.1.0/24",
            "===|\"wlan0<br/>.112\"|",
            "<-.->",
        ],
    );
}

#[test]
fn a_folder_and_a_wrong_file_have_no_picture() {
    let said = graph(&["lan"]).finish(PATIENCE).expect_exit(2);
    assert_says(&said, &["lan is a folder", "name one of them"]);
    let said = graph(&["invalid/host-name.toml"])
        .finish(PATIENCE)
        .expect_exit(2);
    assert_says(&said, &["1 of 1 scenarios cannot be played"]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_overlaps_in_any_picture(plan in any_plan()) {
        let layout = Layout::of(&plan);
        prop_assert_eq!(layout.hosts.len(), plan.hosts.len());
        let overlaps = overlaps(&plan, &layout);
        prop_assert!(overlaps.is_empty(), "{:?}\n{}", overlaps, text(&plan));
    }
}

fn any_plan() -> impl Strategy<Value = Plan> {
    let hosts = |nets: usize| prop::collection::vec(any_host(nets), 2..10);
    let plan = (1_usize..=4).prop_flat_map(move |nets| {
        let net = (1_usize..12, 0_usize..3).prop_map(|(wide, subnets)| NetPart {
            name: "n".repeat(wide),
            subnets: vec!["203.0.113.0/24".to_owned(); subnets],
        });
        let nets_of = prop::collection::vec(net, nets);
        (
            nets_of,
            hosts(nets),
            any::<Option<(prop::sample::Index, usize)>>(),
        )
    });
    plan.prop_map(|(nets, hosts, ends)| {
        let tunnel = ends.map(|(client, lines)| {
            let client = client.index(hosts.len());
            let end = |host| TunnelEnd {
                host,
                lines: vec!["fpsc0".to_owned(); 1 + lines % 3],
            };
            TunnelPart {
                name: "the tunnel, over tcp 7443".to_owned(),
                client: end(client),
                server: end((client + 1) % hosts.len()),
            }
        });
        Plan {
            title: "any".to_owned(),
            nets,
            hosts,
            tunnel,
        }
    })
}

fn any_host(nets: usize) -> impl Strategy<Value = HostPart> {
    let link = (0..nets, 0_usize..10, any::<bool>()).prop_map(|(net, wide, later)| LinkPart {
        name: "eth0".to_owned(),
        net,
        short: ".".repeat(wide),
        addresses: Vec::new(),
        leads_on: None,
        later,
        carries: false,
    });
    let links = prop::collection::vec(link, 0..4);
    (links, 1_usize..14, 0_usize..4).prop_map(|(links, wide, notes)| HostPart {
        name: "h".repeat(wide),
        notes: vec!["tcp 80".to_owned(); notes],
        links,
        router: true,
    })
}
