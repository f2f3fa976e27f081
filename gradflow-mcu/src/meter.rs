//! What the firmware asks of its chip beside a serial port and a light.

/// A free-running counter, and the depth of the stack.
pub trait Meter {
    /// Ticks since some moment; wraps around.
    fn ticks(&self) -> u32;

    /// How many ticks there are in a second.
    fn ticks_per_second(&self) -> u32;

    /// Paints the unused part of the stack, so that [`stack_used`](Self::stack_used) counts from
    /// here.
    fn repaint_stack(&mut self);

    /// Largest size of the stack since it was painted, in bytes.
    fn stack_used(&self) -> u32;

    /// Present size of the stack, in bytes.
    fn stack_depth(&self) -> u32;

    /// Bytes that the stack may grow to.
    fn stack_size(&self) -> u32;
}
