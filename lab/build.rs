//! Has the tests compiled anew when a scenario comes or goes: each file is a test case of its own
//! (`tests/scenarios.rs`), which a macro finds while it compiles.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // Not where the lab is compiled to be used: who edits a scenario wants to play it at once. A
    // test says so where a file has no case.
    if std::env::var("PROFILE").as_deref() != Ok("release") {
        // Cargo looks through a folder whole (`cargo::rerun-if-changed` in the Cargo Book).
        println!("cargo::rerun-if-changed=../scenarios");
    }
}
