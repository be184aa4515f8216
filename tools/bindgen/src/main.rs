//! Writes the JavaScript glue and the stripped-down `.wasm` for the module that cargo built.
//!
//! It exists instead of the `wasm-bindgen` program because the glue generator and the `wasm-bindgen` crate must be
//! of one version: here the workspace's `Cargo.lock` guarantees it, and nothing has to be installed.
//!
//! Usage: `stepstream-bindgen <input.wasm> <output directory> <name>`; the name is that of every generated file.

mod panics;

use std::error::Error;
use std::process::ExitCode;

use walrus::ModuleConfig;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [input, output, name] = arguments.as_slice() else {
        eprintln!("usage: stepstream-bindgen <input.wasm> <output directory> <name>");
        return ExitCode::from(2);
    };
    match write(input, output, name) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stepstream-bindgen: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn write(input: &str, output: &str, name: &str) -> Result<(), Box<dyn Error>> {
    let mut module = ModuleConfig::new().parse_file(input)?;
    panics::cut(&mut module)?;
    // The bundler target is the only one whose glue takes its instance from outside (`__wbg_set_wasm`), which is
    // what the hand-written loader needs: the others fetch, or compile, by themselves.
    let mut bindgen = Bindgen::new();
    bindgen.input_module(name, module).typescript(true).bundler(true)?;
    Ok(bindgen.generate(output)?)
}
