//! Every input that is kept for fuzzing goes through its target: what was found once is not found again.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use blindrelay_fuzz_targets::TARGETS;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the folder of fuzzing").to_owned()
}

/// The files of a folder by name; none where there is no such folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).into_iter().flatten().map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

fn is_seed(input: &Path) -> bool {
    input.file_name().is_some_and(|name| name.to_string_lossy().starts_with("seed-"))
}

#[test]
fn every_kept_input_passes_its_target() {
    let mut refused = Vec::new();
    for target in TARGETS {
        let corpus = files(&fuzz().join("corpus").join(target.name));
        assert!(!corpus.is_empty(), "{} has no corpus", target.name);
        for input in corpus.into_iter().chain(files(&fuzz().join("findings").join(target.name))) {
            // The last line of a failed test names the input.
            println!("{}", input.display());
            let accepted = (target.run)(&fs::read(&input).expect("a readable input"));
            if is_seed(&input) && !accepted {
                refused.push(input);
            }
        }
    }
    // Fuzzing gets nowhere from them.
    assert!(refused.is_empty(), "seeds are refused, write them again: {refused:?}");
}

#[test]
fn targets_binaries_corpora_and_the_page_name_each_other() {
    let names: BTreeSet<String> = TARGETS.iter().map(|target| target.name.to_owned()).collect();
    assert_eq!(names.len(), TARGETS.len(), "a target is listed twice");
    let stems = |folder: &str| -> BTreeSet<String> {
        let stem = |path: PathBuf| path.file_stem().expect("a name").to_string_lossy().into_owned();
        files(&fuzz().join(folder)).into_iter().map(stem).collect()
    };
    assert_eq!(stems("fuzz_targets"), names);
    assert_eq!(stems("corpus"), names);
    assert!(stems("findings").is_subset(&names));
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).expect("the manifest");
    let page = fs::read_to_string(fuzz().join("../docs/fuzzing.md")).expect("the page");
    for name in names {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "fuzz/Cargo.toml has no binary {name}");
        assert!(page.contains(&format!("`{name}`")), "docs/fuzzing.md does not name {name}");
    }
}
