//! Writes the JavaScript glue and the stripped-down `.wasm` for the module that cargo built.
//!
//! It exists instead of the `wasm-bindgen` program because the glue generator and the `wasm-bindgen` crate must be
//! of one version: here the workspace's `Cargo.lock` guarantees it, and nothing has to be installed.
//!
//! Usage: `stepstream-bindgen <input.wasm> <output directory> <name>`; the name is that of every generated file.

use std::process::ExitCode;

use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, name] = arguments.as_slice() else {
        eprintln!("usage: stepstream-bindgen <input.wasm> <output directory> <name>");
        return ExitCode::from(2);
    };
    // The bundler target is the only one whose glue takes its instance from outside (`__wbg_set_wasm`), which is
    // what the hand-written loader needs: the others fetch, or compile, by themselves.
    let mut bindgen = Bindgen::new();
    let generated = bindgen.input_path(input).out_name(name).typescript(true).bundler(true);
    match generated.and_then(|bindgen| bindgen.generate(output)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stepstream-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}
