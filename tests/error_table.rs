//! Keeps the error codes equal wherever they stand: TypeScript and the documents are written from the table in
//! `src/error.rs`, and this test fails when somebody changed one without the other.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use stepstream::error::{Entry, TABLE};

const WIDTH: usize = 120;
const UPDATE: &str = "UPDATE_TABLES=1 cargo test --test error_table";

/// A string literal as prettier writes it: the kind of quote that needs fewer escapes, double ones if equal.
fn literal(text: &str) -> String {
    assert!(!text.contains(['\\', '\n']), "a help text is one plain line: {text}");
    let quote = if text.matches('"').count() > text.matches('\'').count() { '\'' } else { '"' };
    format!("{quote}{}{quote}", text.replace(quote, &format!("\\{quote}")))
}

/// One entry of the record, on one line if it fits, as prettier lays it out.
fn typescript_entry(entry: &Entry) -> String {
    let (number, class, help) = (entry.code as u32, literal(entry.class), literal(entry.help));
    let line = format!("  {}: {{ number: {number}, class: {class}, help: {help} }},\n", entry.name);
    if line.trim_end().chars().count() <= WIDTH {
        return line;
    }
    format!("  {}: {{\n    number: {number},\n    class: {class},\n    help: {help},\n  }},\n", entry.name)
}

fn typescript() -> String {
    let mut text = format!(
        "// The error codes with what is said about them, so that JavaScript raises exactly what the engine means.\n\
         // Generated from src/error.rs by `{UPDATE}`; do not edit.\n\n\
         /** The stable name of an error, as its `code` tells it. */\n\
         export type Code =\n"
    );
    // The names are written out, so that the declarations that users get hold them and not the whole table.
    text.push_str(&TABLE.iter().map(|entry| format!("  | \"{}\"", entry.name)).collect::<Vec<_>>().join("\n"));
    text.push_str(
        ";\n\n\
         /** Every code: its number inside the engine, the class of its errors, what it means and what to do. */\n\
         export const codes = {\n",
    );
    text.extend(TABLE.iter().map(typescript_entry));
    text.push_str("} as const satisfies Readonly<Record<Code, object>>;\n");
    text
}

fn markdown() -> String {
    let mut text = format!(
        "<!-- Everything that can go wrong, for readers who have met a code. Generated from src/error.rs by\n     \
         `{UPDATE}`; do not edit. -->\n\n# Errors\n\n\
         Every error of the library is an instance of `Error` with a stable `code`. An error that a step throws itself reaches you\n\
         unchanged.\n\n| code | class | meaning and what to do |\n| --- | --- | --- |\n"
    );
    for entry in TABLE {
        let help = entry.help.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | `{}` | {help} |", entry.name, entry.class);
    }
    text
}

fn check(path: &str, wanted: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if env::var_os("UPDATE_TABLES").is_some() {
        let folder = path.parent().expect("every generated file lies in a folder");
        fs::create_dir_all(folder).expect("the folder can be made");
        fs::write(&path, wanted).expect("the file can be written");
        return;
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(found == wanted, "{} does not fit src/error.rs. Run: {UPDATE}", path.display());
}

#[test]
fn typescript_has_the_same_codes() {
    check("pkg-template/src/internal/codes.ts", &typescript());
}

#[test]
fn the_documents_have_the_same_codes() {
    check("docs/errors.md", &markdown());
}
