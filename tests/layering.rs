//! Arrows between modules and crates point down, and only one crate may say `unsafe`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ is in the workspace").to_owned()
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target" && name != ".git") {
                found.extend(sources(&path));
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The module of the engine that a file belongs to.
fn module(engine: &Path, file: &Path) -> Option<String> {
    let first = file.strip_prefix(engine).ok()?.components().next()?.as_os_str().to_str()?.to_owned();
    Some(first.trim_end_matches(".rs").to_owned())
}

/// Names after `crate::` (or `super::` at the top of a module file) in the code of a file, comments aside.
fn imports(text: &str) -> Vec<String> {
    let code = text.lines().map(|line| line.split("//").next().unwrap_or_default()).collect::<Vec<_>>().join("\n");
    code.match_indices("crate::")
        .map(|(at, found)| {
            code[at + found.len()..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
        })
        .collect()
}

#[test]
fn modules_of_the_engine_look_down_only() {
    // Lowest first. `error` carries levels and digests, so it stands on `params`; `operator` speaks of wire errors.
    let floors = ["ring", "params", "noise", "error", "rlwe", "bfv", "ckks", "circuit", "wire", "operator", "lib"];
    let height: BTreeMap<&str, usize> = floors.iter().enumerate().map(|(height, name)| (*name, height)).collect();
    let engine = root().join("engine/src");
    let files = sources(&engine);
    assert!(files.len() > 30, "the engine's sources were not found");
    let mut arrows = 0;
    for file in files {
        let from = module(&engine, &file).expect("a file of the engine");
        let from_height =
            *height.get(from.as_str()).unwrap_or_else(|| panic!("module {from} is on no floor: add it to this test"));
        for to in imports(&fs::read_to_string(&file).expect("readable source")) {
            // Types re-exported at the crate's root are imported by their modules' names inside the crate.
            let Some(&to_height) = height.get(to.as_str()) else {
                panic!("{} imports crate::{to}, which is on no floor", file.display())
            };
            assert!(to_height <= from_height, "{} imports crate::{to}: {from} stands below {to}", file.display());
            assert!(from != "ckks" || to != "bfv", "{}: the schemes do not know each other", file.display());
            arrows += usize::from(to != from);
        }
    }
    assert!(arrows > 30, "only {arrows} arrows were seen: the parser is blind");
}

fn dependencies(package: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "-e", "normal", "--prefix", "none", "--format", "{p}", "-p", package, "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "cargo tree: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("UTF-8");
    text.lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| name.starts_with("blindrelay"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn crates_look_down_only() {
    let allowed: [(&str, &[&str]); 12] = [
        ("blindrelay-kernels", &[]),
        ("blindrelay-reference", &[]),
        ("blindrelay-engine", &["blindrelay-kernels"]),
        ("blindrelay-keyholder", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-routing", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-billing", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-analytics", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-bridge", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-client", &["blindrelay-engine", "blindrelay-kernels"]),
        ("blindrelay-trust", &["blindrelay-engine", "blindrelay-kernels"]),
        (
            "blindrelay-server",
            &[
                "blindrelay-engine",
                "blindrelay-kernels",
                "blindrelay-routing",
                "blindrelay-billing",
                "blindrelay-analytics",
                "blindrelay-trust",
            ],
        ),
        (
            "blindrelay-storage",
            &[
                "blindrelay-engine",
                "blindrelay-kernels",
                "blindrelay-routing",
                "blindrelay-billing",
                "blindrelay-analytics",
                "blindrelay-trust",
                "blindrelay-server",
            ],
        ),
    ];
    for (package, below) in allowed {
        for dependency in dependencies(package).into_iter().filter(|name| name != package) {
            assert!(below.contains(&dependency.as_str()), "{package} depends on {dependency}");
        }
    }
}

#[test]
fn the_service_has_no_code_to_decrypt() {
    let tree = dependencies("blindrelay-server");
    assert!(tree.iter().any(|name| name == "blindrelay-engine"), "the tree was read");
    assert!(!tree.iter().any(|name| name == "blindrelay-keyholder"));
}

#[test]
fn only_the_kernels_may_say_unsafe() {
    let root = root();
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("workspace manifest");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    let kernels = root.join("engine/kernels");
    let mut checked = 0;
    for file in sources(&root) {
        if file.starts_with(&kernels) || file.starts_with(root.join("fuzz")) || file.ends_with("tests/layering.rs") {
            continue;
        }
        let text = fs::read_to_string(&file).expect("readable source");
        for (number, line) in text.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            assert!(!code.contains("unsafe "), "{}:{} says unsafe", file.display(), number + 1);
        }
        checked += 1;
    }
    assert!(checked > 40);
    // Every package either inherits the workspace's lints or forbids unsafe code itself.
    for package in [
        "engine",
        "engine/keyholder",
        "routing",
        "billing",
        "analytics",
        "bridge",
        "client",
        "trust",
        "server",
        "server/storage",
        "cli",
        "reference",
        "tests",
        "tests/faults",
        "fuzz/targets",
        "benches",
    ] {
        let manifest = fs::read_to_string(root.join(package).join("Cargo.toml")).expect("a manifest");
        let inherits = manifest.contains("[lints]\nworkspace = true") || manifest.contains("unsafe_code = \"forbid\"");
        assert!(inherits, "{package}/Cargo.toml does not forbid unsafe code");
    }
}
