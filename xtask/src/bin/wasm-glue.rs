//! Writes the JavaScript that loads a WebAssembly module: `wasm-glue MODULE.wasm FOLDER NAME`.
//!
//! A program of its own, behind the feature `glue`, so that only the demo waits for its compilation.

use std::env;
use std::path::Path;

use anyhow::{Context, Result, bail};
use wasm_bindgen_cli_support::Bindgen;

fn main() -> Result<()> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [module, folder, name] = args.as_slice() else {
        bail!("usage: wasm-glue MODULE.wasm FOLDER NAME");
    };
    Bindgen::new()
        .input_path(module)
        .out_name(name)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(Path::new(folder))
        .with_context(|| format!("cannot make the JavaScript for {module}"))
}
