//! A session over the serial port: commands in, steps taken, reports out.

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::serial::{Read, Write};
use gradflow_core::Error;
use heapless::Deque;

use crate::command::{self, Command, Refusal};
use crate::light::{Light, Mood};
use crate::line::{Event, Line};
use crate::meter::Meter;
use crate::port::Port;
use crate::settings::{ARENA, Choice, Scheme, Source};
use crate::trainer::Trainer;
use crate::transfer::{Progress, Transfer};

/// The key that stops training.
const CTRL_C: u8 = 3;
/// Steps whose loss is remembered.
const RECENT: usize = 16;

/// All of a session's memory but its stack. All zero at first, so that it costs no flash.
#[derive(Debug)]
pub struct Memory {
    trainer: Trainer,
    transfer: Transfer,
    arena: [f32; ARENA],
}

impl Memory {
    /// Memory for one session.
    pub const ZERO: Self =
        Self { trainer: Trainer::ZERO, transfer: Transfer::NONE, arena: [0.0; ARENA] };
}

/// Serves commands for as long as `more` says so; a board never stops.
pub fn serve<S, P, M>(
    serial: S,
    pin: P,
    meter: M,
    memory: &mut Memory,
    mut more: impl FnMut() -> bool,
) where
    S: Read<u8> + Write<u8>,
    P: OutputPin,
    M: Meter,
{
    let Memory { trainer, transfer, arena } = memory;
    let mut session = Session {
        port: Port::new(serial),
        light: Light::new(pin),
        meter,
        trainer,
        transfer,
        choice: Choice::default(),
        line: Line::EMPTY,
        recent: Deque::new(),
    };
    session.begin();
    let mut next = Next::NewScheme;
    // The scheme borrows the arena from one change of settings to the next.
    loop {
        let (mut scheme, used) = match session.choice.build(arena) {
            Ok(built) => built,
            Err(error) => {
                session.fail(Failure::Core(error));
                session.choice = Choice::default();
                continue;
            }
        };
        if let Next::Bench(steps) = next {
            session.bench(&mut scheme, steps, used);
            next = Next::NewScheme;
            continue;
        }
        loop {
            if !more() {
                return;
            }
            next = session.turn(&mut scheme);
            if !matches!(next, Next::Command) {
                break;
            }
        }
    }
}

/// A trainer, and the person or program at the other end of the serial line.
pub(crate) struct Session<'m, S, P, M> {
    pub(crate) port: Port<S>,
    pub(crate) light: Light<P>,
    pub(crate) meter: M,
    pub(crate) trainer: &'m mut Trainer,
    pub(crate) transfer: &'m mut Transfer,
    pub(crate) choice: Choice,
    line: Line,
    /// Number and loss of the last steps.
    pub(crate) recent: Deque<(u32, f32), RECENT>,
}

/// What comes after a command.
enum Next {
    /// Another one.
    Command,
    /// The scheme starts again, with the settings as they are now.
    NewScheme,
    /// A timed run from the start.
    Bench(u32),
}

/// Why a command failed.
#[derive(Clone, Copy)]
pub(crate) enum Failure {
    Refused(Refusal),
    Core(Error),
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl<S, P, M> Session<'_, S, P, M>
where
    S: Read<u8> + Write<u8>,
    P: OutputPin,
    M: Meter,
{
    fn begin(&mut self) {
        self.port
            .text("\r\ngradflow: learns exp(-x^2) or your samples; help lists the commands\r\n");
        let restarted = self.trainer.restart(self.choice.seed);
        self.answer(restarted.map_err(Failure::Core));
    }

    /// Takes a byte, if there is one, and does what it completes.
    fn turn(&mut self, scheme: &mut Scheme<'_>) -> Next {
        self.light.pass(self.meter.ticks(), self.meter.ticks_per_second());
        let byte = self.port.read();
        if self.port.was_damaged() {
            self.line.damage();
        }
        match byte.and_then(|byte| self.line.push(byte)) {
            None => Next::Command,
            Some(Event::Complete) => self.obey(scheme),
            Some(Event::TooLong) => {
                self.complain("error: this line is longer than 96 characters");
                Next::Command
            }
            Some(Event::Garbled) => {
                self.complain("error: this line holds bytes that are no text, or lost some");
                Next::Command
            }
        }
    }

    fn obey(&mut self, scheme: &mut Scheme<'_>) -> Next {
        let line = core::mem::replace(&mut self.line, Line::EMPTY);
        let result = match command::parse(line.text(), &self.choice) {
            Ok(Command::Bench(steps)) => return Next::Bench(steps),
            Ok(command) => self.execute(&command, scheme),
            Err(refusal) => Err(Failure::Refused(refusal)),
        };
        match result {
            Ok(next) => {
                self.answer(Ok(()));
                next
            }
            Err(failure) => {
                self.fail(failure);
                Next::Command
            }
        }
    }

    /// Ends the answer to a command.
    pub(crate) fn answer(&mut self, result: Result<(), Failure>) {
        match result {
            Ok(()) => {
                if self.light.mood() == Mood::Failed {
                    self.light.show(Mood::Idle);
                }
                self.port.text("ok\r\n");
            }
            Err(failure) => self.fail(failure),
        }
    }

    fn fail(&mut self, failure: Failure) {
        self.light.show(Mood::Failed);
        match failure {
            Failure::Refused(refusal) => self.port.refusal(refusal),
            Failure::Core(error) => self.port.error(error),
        }
    }

    fn complain(&mut self, text: &str) {
        self.light.show(Mood::Failed);
        self.port.text(text);
        self.port.end();
    }

    fn execute(&mut self, command: &Command<'_>, scheme: &mut Scheme<'_>) -> Result<Next, Failure> {
        match *command {
            Command::Help => self.help(),
            Command::Status => self.status(),
            Command::Stack => {
                self.port.text("stack");
                self.port.count("used", self.meter.stack_used());
                self.port.count("of", self.meter.stack_size());
                self.port.end();
            }
            Command::Reset => {
                self.trainer.restart(self.choice.seed)?;
                self.recent.clear();
                return Ok(Next::NewScheme);
            }
            Command::Train(steps) => self.train(steps, scheme)?,
            Command::Predict(x) => self.predict(x)?,
            Command::Data(list) => return self.feed(list, scheme),
            Command::Draw(samples) => {
                self.trainer.draw(samples);
                self.choice.source = Source::Data;
                return Ok(self.after_new_samples());
            }
            Command::Forget => {
                self.set(Choice { source: Source::Function, ..self.choice })?;
                self.trainer.forget();
                return Ok(self.after_new_samples());
            }
            Command::Fit(points) => self.fit(points)?,
            Command::Error => self.error()?,
            Command::Recent => self.recent(),
            Command::Weights => self.weights(),
            Command::Digest => self.digest()?,
            Command::Save => self.save()?,
            Command::Load(len) => {
                if !self.transfer.announce(len as usize) {
                    return Err(Error::Format("this file is too long for this network").into());
                }
            }
            Command::Bytes(digits) => return self.load(digits),
            Command::Set(choice) => return self.set(choice),
            Command::Bench(_) => {}
        }
        Ok(Next::Command)
    }

    /// Changes settings, if together they mean something.
    fn set(&mut self, choice: Choice) -> Result<Next, Failure> {
        choice.check()?;
        let before = core::mem::replace(&mut self.choice, choice);
        if choice.seed != before.seed {
            self.trainer.restart(choice.seed)?;
            return Ok(Next::NewScheme);
        }
        let anew = choice.scheme != before.scheme
            || choice.gram_form != before.gram_form
            || choice.batch != before.batch
            || choice.source != before.source;
        Ok(if anew { Next::NewScheme } else { Next::Command })
    }

    fn after_new_samples(&self) -> Next {
        if self.choice.keeps_residuals() { Next::NewScheme } else { Next::Command }
    }

    fn feed(&mut self, list: &[u8], scheme: &mut Scheme<'_>) -> Result<Next, Failure> {
        let trainer = &mut *self.trainer;
        command::pairs(list, |x, y| trainer.feed(x, y))?;
        self.choice.source = Source::Data;
        self.port.count("samples", self.trainer.samples() as u32);
        self.port.end();
        if self.choice.auto > 0 {
            self.train(self.choice.auto, scheme)?;
        }
        Ok(self.after_new_samples())
    }

    fn train(&mut self, steps: u32, scheme: &mut Scheme<'_>) -> Result<(), Failure> {
        if self.choice.source == Source::Data && self.trainer.samples() == 0 {
            return Err(Refusal::Needs("samples first: data X,Y, or draw N").into());
        }
        self.light.show(Mood::Learning);
        for step in 1..=steps {
            if self.port.interrupted_by(CTRL_C) {
                self.port.text("stopped\r\n");
                break;
            }
            let done = self.trainer.step(&self.choice, scheme)?;
            self.light.step();
            if self.recent.is_full() {
                self.recent.pop_front();
            }
            let _ = self.recent.push_back((self.trainer.steps(), done.loss));
            if step % self.choice.every.max(1) != 0 && step != steps {
                continue;
            }
            let error = match self.choice.source {
                Source::Function => self.trainer.grid_error()?,
                Source::Data => done.loss,
            };
            self.port.text("step ");
            self.port.bytes(&crate::number::integer(self.trainer.steps()));
            self.port.real("loss", done.loss);
            if let Some(auxiliary) = done.auxiliary {
                self.port.real("energy", auxiliary.energy);
            }
            self.port.real("dt", done.dt);
            self.port.real("error", error);
            self.port.end();
            if error <= self.choice.target {
                self.light.show(Mood::Reached);
                self.port.text("reached");
                self.port.real("target", self.choice.target);
                self.port.end();
                break;
            }
        }
        Ok(())
    }

    fn load(&mut self, digits: &[u8]) -> Result<Next, Failure> {
        let transfer = &mut *self.transfer;
        command::bytes(digits, |byte| transfer.push(byte))?;
        match transfer.progress() {
            Progress::Unexpected => Err(Refusal::Needs("load LEN before it").into()),
            Progress::Missing(bytes) => {
                self.port.count("missing", bytes as u32);
                self.port.end();
                Ok(Next::Command)
            }
            Progress::Complete => {
                self.trainer.replace(|network, w| transfer.read(network, w))?;
                self.digest()?;
                Ok(Next::NewScheme)
            }
        }
    }
}
