//! The reference programme as a WebAssembly module that imports nothing.

#![no_main]

use std::sync::OnceLock;

use gradflow_core::reference::{self, Memory, Plain};

static TEXT: OnceLock<String> = OnceLock::new();

fn text() -> &'static str {
    TEXT.get_or_init(|| {
        let mut memory = Box::new(Memory::ZERO);
        let mut text = String::new();
        match reference::run::<Plain>(&mut memory, &mut |line| text += &format!("{line}\n")) {
            Ok(()) => text + "end\n",
            Err(failure) => format!("{text}error: {failure}\n"),
        }
    })
}

/// Where the text begins that the programme prints.
// SAFETY: nothing else that is linked has this name.
#[unsafe(no_mangle)]
pub extern "C" fn reference_text() -> *const u8 {
    text().as_ptr()
}

/// How many bytes it has.
// SAFETY: nothing else that is linked has this name.
#[unsafe(no_mangle)]
pub extern "C" fn reference_len() -> usize {
    text().len()
}
