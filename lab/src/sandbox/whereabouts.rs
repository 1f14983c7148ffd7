//! Where the program `fps-lab` is, which holds a lab's namespaces.

use std::env;
use std::path::{Path, PathBuf};

/// Names the program.
const VARIABLE: &str = "FPS_LAB_BIN";
const PROGRAM: &str = "fps-lab";
/// The folders of a target folder in which it may be, that of this very build first.
const PROFILES: [&str; 2] = match cfg!(debug_assertions) {
    true => ["debug", "release"],
    false => ["release", "debug"],
};

/// The program: what FPS_LAB_BIN names, else the one beside this test, else the one of this package's
/// target folder, else the one in PATH.
pub(crate) fn find() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os(VARIABLE) {
        let named = PathBuf::from(named);
        return match named.is_file() {
            true => Ok(named),
            false => Err(format!(
                "{VARIABLE} is {}, and there is no such file",
                named.display()
            )),
        };
    }
    let test = env::current_exe().unwrap_or_default();
    let beside = beside(&test).map(|folder| folder.join(PROGRAM));
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let targets = targets(package.as_deref());
    let of_package = targets
        .iter()
        .flat_map(|target| PROFILES.map(|profile| target.join(profile).join(PROGRAM)));
    let path = env::var_os("PATH").unwrap_or_default();
    let in_path = env::split_paths(&path).map(|folder| folder.join(PROGRAM));
    let mut candidates = beside.chain(of_package).chain(in_path);
    candidates.find(|it| it.is_file()).ok_or_else(|| {
        format!(
            "there is no program `{PROGRAM}`, which holds the namespaces of a lab: build it beside this \
             test with `{}`, or install it, or name it in {VARIABLE}; looked beside {}, in the target \
             folder and in PATH",
            build_command(),
            test.display()
        )
    })
}

/// The folder of a program, and the one above where cargo has put that for tests or examples below its
/// programs. Not any further one: above a doctest is a folder that others may write to.
fn beside(program: &Path) -> impl Iterator<Item = &Path> {
    let own = program.parent();
    let below = own.filter(|own| own.ends_with("deps") || own.ends_with("examples"));
    own.into_iter().chain(below.and_then(Path::parent))
}

/// The target folders that a package may have: a doctest is built elsewhere, and knows its package.
fn targets(package: Option<&Path>) -> Vec<PathBuf> {
    let set = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let above = package.into_iter().flat_map(Path::ancestors);
    set.into_iter()
        .chain(above.map(|folder| folder.join("target")))
        .collect()
}

/// The target folder that this program was built in, or that of its package.
pub(crate) fn own_target() -> Option<PathBuf> {
    let program = env::current_exe().unwrap_or_default();
    let own = program.parent();
    let built = own.filter(|own| own.ends_with("deps") || own.ends_with("examples"));
    let own = built.and_then(|own| own.parent()?.parent());
    let package = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
    let is_target = |folder: &PathBuf| PROFILES.iter().any(|it| folder.join(it).is_dir());
    let of_package = || targets(package.as_deref()).into_iter().find(is_target);
    own.map(Path::to_owned).or_else(of_package)
}

/// What builds the program beside this one. Where the lab is a dependency cargo has to be led to it: it
/// builds the programs of members of a workspace alone.
pub(super) fn build_command() -> String {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR"));
    let release = if cfg!(debug_assertions) {
        ""
    } else {
        " --release"
    };
    let own = own_target().filter(|target| !lab.ancestors().any(|it| target.parent() == Some(it)));
    match own {
        Some(target) if lab.is_dir() => format!(
            "cargo build{release} --manifest-path {}/Cargo.toml --target-dir {}",
            lab.display(),
            target.display()
        ),
        _ => format!("cargo build{release} -p fps-lab"),
    }
}
