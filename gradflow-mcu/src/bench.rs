//! Timed runs: what a step costs, and how long the way to an error is.

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::serial::{Read, Write};

use crate::light::Mood;
use crate::meter::Meter;
use crate::session::{Failure, Session};
use crate::settings::Scheme;

/// Errors whose first step is noted.
const MARKS: [f32; 4] = [1e-3, 1e-4, 1e-5, 1e-6];

/// Ticks of the steps alone; drawing samples is part of a step, measuring the error is not.
#[derive(Default)]
struct Times {
    steps: u32,
    total: u32,
    most: u32,
    /// Steps and ticks until each mark.
    reached: [Option<(u32, u32)>; MARKS.len()],
    /// Bytes of the whole stack in a step, and of what the step adds.
    stack: u32,
    step_stack: u32,
    error: f32,
}

impl<S, P, M> Session<'_, S, P, M>
where
    S: Read<u8> + Write<u8>,
    P: OutputPin,
    M: Meter,
{
    /// Takes steps from the seed's weights on, with a fresh scheme that uses `used` numbers;
    /// reports, and starts again.
    pub(crate) fn bench(&mut self, scheme: &mut Scheme<'_>, steps: u32, used: usize) {
        self.light.show(Mood::Learning);
        let times = self.run_timed(scheme, steps);
        let result = times.and_then(|times| self.report(&times, used));
        self.light.show(Mood::Idle);
        self.answer(result);
    }

    fn run_timed(&mut self, scheme: &mut Scheme<'_>, steps: u32) -> Result<Times, Failure> {
        self.trainer.restart(self.choice.seed)?;
        let mut times = Times::default();
        for step in 1..=steps {
            if step == 1 {
                self.meter.repaint_stack();
            }
            let start = self.meter.ticks();
            self.trainer.step(&self.choice, scheme)?;
            let ticks = self.meter.ticks().wrapping_sub(start);
            if step == 1 {
                times.stack = self.meter.stack_used();
                times.step_stack = times.stack.saturating_sub(self.meter.stack_depth());
            }
            self.light.step();
            times.steps = step;
            times.total = times.total.saturating_add(ticks);
            times.most = times.most.max(ticks);
            if step % self.choice.every.max(1) == 0 || step == steps {
                times.error = self.trainer.grid_error()?;
                times.note();
            }
            if times.error <= self.choice.target {
                break;
            }
        }
        Ok(times)
    }

    fn report(&mut self, times: &Times, used: usize) -> Result<(), Failure> {
        self.port.settings(&self.choice);
        for (mark, reached) in MARKS.into_iter().zip(times.reached) {
            if let Some((steps, ticks)) = reached {
                self.port.text("reached");
                self.port.real("error", mark);
                self.port.count("steps", steps);
                self.port.count("ticks", ticks);
                self.port.end();
            }
        }
        let numbers = used + self.trainer.numbers_of_a_step(&self.choice);
        self.port.text("bench");
        self.port.count("steps", times.steps);
        self.port.count("mean", times.total / times.steps.max(1));
        self.port.count("most", times.most);
        self.port.count("ticks-per-second", self.meter.ticks_per_second());
        self.port.count("stack", times.stack);
        self.port.count("of-a-step", times.step_stack);
        self.port.count("bytes", 4 * numbers as u32);
        self.port.real("error", times.error);
        self.port.end();
        self.digest()?;
        Ok(self.trainer.restart(self.choice.seed)?)
    }
}

impl Times {
    fn note(&mut self) {
        for (mark, reached) in MARKS.into_iter().zip(&mut self.reached) {
            if self.error <= mark && reached.is_none() {
                *reached = Some((self.steps, self.total));
            }
        }
    }
}
