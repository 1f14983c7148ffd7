//! `--shard`: parts of the scenarios for several machines.

use crate::ended::assert_says;
use crate::run_place::Place;
use crate::texts::{NO_SABOTAGE, PAIR};
use fps_lab::report::Shard;

const REACHED: &str = r#"
[[step]]
expect = [ { reach = { from = "laptop", to = "printer" } } ]
"#;

#[test]
fn each_file_is_in_one_shard() {
    let place = Place::new();
    let names = ["a", "b", "c", "d", "e"];
    for name in names {
        place.write(name, &[NO_SABOTAGE, PAIR, REACHED].concat());
    }
    let mut played = Vec::new();
    for (number, count) in [(1, 3), (2, 2)] {
        place.run(0, &[".", "--shard", &format!("{number}/2")]);
        let outcome = place.outcome();
        assert_eq!(outcome.run.shard, Some(Shard { number, of: 2 }));
        assert_eq!(outcome.scenarios.len(), count);
        played.extend(outcome.scenarios.into_iter().map(|it| it.name));
    }
    played.sort();
    assert_eq!(played, names);
}

#[test]
fn an_empty_shard_is_no_pass() {
    let place = Place::new();
    place.write("a", &[NO_SABOTAGE, PAIR, REACHED].concat());
    let said = place.run(3, &["a.toml", "--shard", "2/2"]);
    assert_says(
        &said,
        &["nothing was played", "shard 2/2 is empty", "1 scenario"],
    );
    place.run(0, &["a.toml", "--shard", "1/2"]);
}

#[test]
fn nonsense_is_refused_with_what_to_type() {
    let place = Place::new();
    place.write("a", &[NO_SABOTAGE, PAIR, REACHED].concat());
    for shard in ["0/2", "3/2", "two", "1/0"] {
        let said = place.run(2, &["a.toml", "--shard", shard]);
        assert_says(&said, &[shard, "write 2/4 for the second of four"]);
    }
}

#[test]
fn four_shards_of_the_library_are_the_library() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let all = fps_lab::run::collect(&[root]).expect("there are scenarios");
    let parts = (1..=4).flat_map(|number| Shard { number, of: 4 }.pick(all.clone()));
    let mut parts: Vec<_> = parts.collect();
    parts.sort();
    let mut all = all;
    all.sort();
    // Equal lists: nothing is missing, and nothing is there twice.
    assert_eq!(parts, all);
}
