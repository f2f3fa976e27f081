//! Progress on one LED: blinking while it learns, steady at the target, SOS after an error.

use embedded_hal::digital::OutputPin;

/// What the light says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    /// Dark: nothing has happened yet.
    Idle,
    /// Changes with each step.
    Learning,
    /// Steady: the target error is reached.
    Reached,
    /// SOS: the last command or step failed.
    Failed,
}

/// Morse code of SOS, one bit a unit of time: a dot is 1, a dash 111; 0 between them, 000 between
/// letters.
const SOS: u64 = {
    let (s, o) = (0b1_0101, 0b111_0111_0111);
    s << 22 | o << 8 | s
};
/// Units of time in [`SOS`] and the pause after it.
const SOS_LEN: u32 = 34;
/// Units of Morse time in a second.
pub const UNITS_PER_SECOND: u32 = 6;

/// The light on its pin.
#[derive(Debug)]
pub(crate) struct Light<P> {
    pin: P,
    mood: Mood,
    lit: bool,
    /// Ticks at which the present unit of Morse time began, and its number.
    unit: (u32, u32),
}

impl<P: OutputPin> Light<P> {
    /// A dark light.
    pub(crate) const fn new(pin: P) -> Self {
        Self { pin, mood: Mood::Idle, lit: false, unit: (0, 0) }
    }

    /// What it says.
    pub(crate) const fn mood(&self) -> Mood {
        self.mood
    }

    /// Says something else from now on.
    pub(crate) fn show(&mut self, mood: Mood) {
        self.mood = mood;
        match mood {
            Mood::Idle => self.light(false),
            Mood::Reached => self.light(true),
            Mood::Learning => {}
            Mood::Failed => self.unit.1 = SOS_LEN - 1,
        }
    }

    /// One step of learning is done.
    pub(crate) fn step(&mut self) {
        if self.mood == Mood::Learning {
            self.light(!self.lit);
        }
    }

    /// Lets Morse time go by; to be called often.
    pub(crate) fn pass(&mut self, ticks: u32, ticks_per_second: u32) {
        let (since, number) = self.unit;
        if self.mood != Mood::Failed
            || ticks.wrapping_sub(since) < ticks_per_second / UNITS_PER_SECOND
        {
            return;
        }
        let number = if number + 1 < SOS_LEN { number + 1 } else { 0 };
        self.unit = (ticks, number);
        self.light(SOS >> number & 1 == 1);
    }

    fn light(&mut self, lit: bool) {
        self.lit = lit;
        // A pin that cannot be set leaves nothing to be done about it.
        let _ = if lit { self.pin.set_high() } else { self.pin.set_low() };
    }
}

/// SOS for ever, for a program that cannot go on: `light` switches, `unit` waits for a unit of
/// Morse time.
pub fn sos(mut light: impl FnMut(bool), mut unit: impl FnMut()) -> ! {
    loop {
        for number in 0..SOS_LEN {
            light(SOS >> number & 1 == 1);
            unit();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::convert::Infallible;
    use std::string::String;

    #[derive(Default)]
    struct Pin(bool);

    impl embedded_hal::digital::ErrorType for Pin {
        type Error = Infallible;
    }

    impl OutputPin for Pin {
        fn set_low(&mut self) -> Result<(), Infallible> {
            self.0 = false;
            Ok(())
        }

        fn set_high(&mut self) -> Result<(), Infallible> {
            self.0 = true;
            Ok(())
        }
    }

    #[test]
    fn learning_blinks_and_the_target_is_steady() {
        let mut light = Light::new(Pin::default());
        light.step();
        assert!(!light.pin.0, "idle");
        light.show(Mood::Learning);
        let blinks: [bool; 4] = core::array::from_fn(|_| {
            light.step();
            light.pin.0
        });
        assert_eq!(blinks, [true, false, true, false]);
        light.show(Mood::Reached);
        light.step();
        light.pass(u32::MAX, 1);
        assert!(light.pin.0);
    }

    #[test]
    fn an_error_is_sos_in_morse() {
        let mut light = Light::new(Pin::default());
        light.show(Mood::Failed);
        let mut seen = String::new();
        for tick in 1..=SOS_LEN {
            light.pass(tick, UNITS_PER_SECOND);
            seen.push(if light.pin.0 { '=' } else { ' ' });
        }
        assert_eq!(seen.trim_end(), "= = =   === === ===   = = =");
        assert!(seen.ends_with("       "), "a word's pause before the next");
    }
}
