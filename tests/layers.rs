//! The layers of the crate: which part may use which other, and what stays out of all but the boundary. The compiler
//! checks circles between crates, not between modules, so this test reads the sources.

use std::fs;
use std::path::{Path, PathBuf};

/// Each part of `src` with the parts that it may use. What is not here may use nothing.
const LAYERS: &[(&str, &[&str])] = &[
    ("time", &["wire"]),
    ("random", &["hash"]),
    ("engine", &["error", "hash", "random", "sorted", "time", "wire"]),
    ("snapshot", &["engine", "error", "hash", "time", "wire"]),
    ("executor", &["sorted", "time"]),
    ("llm", &["error", "random", "time"]),
    ("wasm", &["engine", "error", "executor", "hash", "llm", "random", "snapshot", "time"]),
];

/// A source file: the part that it belongs to, its path, and its lines without comments.
struct Source {
    part: String,
    path: PathBuf,
    code: Vec<String>,
}

fn sources(folder: &Path, found: &mut Vec<Source>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            sources(&path, found);
            continue;
        }
        let inner = path.strip_prefix(&root).expect("it is below the root");
        let part = inner.iter().next().expect("it has a name").to_string_lossy().replace(".rs", "");
        let text = fs::read_to_string(&path).expect("it can be read");
        let code = text.lines().map(|line| line.split("//").next().unwrap_or("").to_owned()).collect();
        found.push(Source { part, path, code });
    }
}

fn all() -> Vec<Source> {
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 40, "the sources were found");
    found
}

/// What follows each occurrence of a path's beginning.
fn names_after<'a>(line: &'a str, beginning: &str) -> Vec<&'a str> {
    let end = |text: &'a str| text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
    line.split(beginning).skip(1).map(|rest| &rest[..end(rest)]).collect()
}

#[test]
fn each_part_uses_only_the_layers_below_it() {
    let mut uses = 0;
    for Source { part, path, code } in all() {
        let allowed = LAYERS.iter().find(|(name, _)| *name == part).map_or(&[][..], |(_, allowed)| allowed);
        for name in code.iter().flat_map(|line| names_after(line, "crate::")) {
            uses += 1;
            assert!(name.is_empty() || name == part || allowed.contains(&name), "{} uses {name}", path.display());
        }
    }
    assert!(uses > 50, "the uses were found");
}

#[test]
fn nothing_but_the_boundary_names_javascript_or_is_unsafe() {
    for Source { part, path, code } in all().iter().filter(|source| source.part != "wasm") {
        let code = code.join("\n");
        for word in ["wasm_bindgen", "js_sys", "web_sys", "unsafe {", "unsafe fn", "unsafe impl", "extern \"C\""] {
            assert!(!code.contains(word), "{} ({part}) has {word}", path.display());
        }
    }
}

#[test]
fn nothing_reads_a_clock_or_touches_the_world() {
    for Source { path, code, .. } in all() {
        for line in &code {
            for name in names_after(line, "std::") {
                let is_world = ["time", "fs", "net", "env", "io", "process", "thread"].contains(&name);
                assert!(!is_world, "{} uses std::{name}", path.display());
            }
            assert!(!line.contains("println!"), "{} prints", path.display());
        }
    }
}

#[test]
fn the_engine_holds_no_code_of_its_host() {
    for Source { path, code, .. } in all().iter().filter(|source| ["engine", "snapshot"].contains(&&*source.part)) {
        let code = code.join("\n");
        for word in ["dyn Fn", "Box<dyn", "Rc<dyn", "async ", "Future"] {
            assert!(
                !code.contains(word),
                "{} has {word}: it returns commands and calls no code of its host",
                path.display()
            );
        }
    }
}
