//! Calls the core's whole public interface, in both precisions, and a session, with values that the
//! compiler does not know. On bare metal the panic handler calls a function that does not exist: the
//! library links (`cargo xtask test` does it, from [`every_function`]) only if no panic can be
//! reached.
#![cfg_attr(target_os = "none", no_std)]

mod core_calls;
mod session_calls;

use core::hint::black_box;

/// A value that the compiler knows nothing of.
fn any<T>(value: T) -> T {
    black_box(value)
}

/// Where the linker begins.
#[unsafe(no_mangle)]
pub extern "C" fn every_function() {
    core_calls::all::<f32>();
    core_calls::all::<f64>();
    session_calls::all();
}

#[cfg(target_os = "none")]
unsafe extern "C" {
    fn a_panic_can_be_reached() -> !;
}

#[cfg(target_os = "none")]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: it is never called: there is no such function, so nothing that calls it can be linked.
    unsafe { a_panic_can_be_reached() }
}
