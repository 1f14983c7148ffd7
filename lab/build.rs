//! Has the tests compiled anew when a scenario comes or goes: each file is a test case of its own
//! (`tests/scenarios.rs`), which a macro finds while it compiles.

fn main() {
    // Cargo looks through a folder whole (`cargo::rerun-if-changed` in the Cargo Book).
    println!("cargo::rerun-if-changed=../scenarios");
}
