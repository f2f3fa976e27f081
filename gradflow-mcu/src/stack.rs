//! The depth of the stack, from the paint that cortex-m-rt puts there at reset.

use core::ptr::{read_volatile, write_volatile};

/// What `cortex-m-rt` paints with.
const PAINT: u32 = 0xcccc_cccc;
/// Bytes below the caller's frame that painting spares: its own frame.
const SPARED: usize = 64;

unsafe extern "C" {
    /// Lowest address of the stack, from the linker script.
    static mut _stack_end: u32;
    /// Address just above the stack.
    static _stack_start: u32;
}

/// Bytes of RAM that the stack may grow to.
#[must_use]
pub fn size() -> u32 {
    (&raw const _stack_start as usize - &raw const _stack_end as usize) as u32
}

/// Largest size of the stack since it was last painted, in bytes.
#[must_use]
pub fn used() -> u32 {
    let top = &raw const _stack_start as usize;
    let mut place = &raw const _stack_end;
    // SAFETY: from `_stack_end` up to `_stack_start` is RAM that belongs to the stack.
    while (place as usize) < top && unsafe { read_volatile(place) } == PAINT {
        place = place.wrapping_add(1);
    }
    (top - place as usize) as u32
}

/// Present size of the stack, in bytes.
#[inline(never)]
#[must_use]
pub fn depth() -> u32 {
    let here = 0_u32;
    (&raw const _stack_start as usize - &raw const here as usize) as u32
}

/// Paints all of the stack that is free now.
#[inline(never)]
pub fn repaint() {
    let here = 0_u32;
    let top = (&raw const here as usize).saturating_sub(SPARED);
    let mut place = &raw mut _stack_end;
    while (place as usize) < top {
        // SAFETY: below the present frame there is nothing but free stack, down to `_stack_end`.
        unsafe { write_volatile(place, PAINT) };
        place = place.wrapping_add(1);
    }
}
