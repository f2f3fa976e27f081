//! Whole sessions over a mocked serial port, light and clock.
#![allow(clippy::unwrap_used)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::convert::Infallible;

use embedded_hal::digital::OutputPin;
use embedded_hal_nb::serial::{self, Read, Write};
use gradflow_core::scheme::Method;
use gradflow_core::weights::{self, Header};
use gradflow_core::{Digest, Pcg32, Stream};
use gradflow_mcu::{Memory, Meter, PARAMETERS, serve};

/// What is typed, and what comes back. A byte takes a while to be sent.
#[derive(Default)]
struct Desk {
    typed: RefCell<VecDeque<u8>>,
    printed: RefCell<Vec<u8>>,
    busy: Cell<bool>,
    lit: Cell<bool>,
    ticks: Cell<u32>,
}

impl serial::ErrorType for &Desk {
    type Error = serial::ErrorKind;
}

impl Read<u8> for &Desk {
    fn read(&mut self) -> nb::Result<u8, serial::ErrorKind> {
        self.typed.borrow_mut().pop_front().ok_or(nb::Error::WouldBlock)
    }
}

impl Write<u8> for &Desk {
    fn write(&mut self, byte: u8) -> nb::Result<(), serial::ErrorKind> {
        if self.busy.replace(!self.busy.get()) {
            return Err(nb::Error::WouldBlock);
        }
        self.printed.borrow_mut().push(byte);
        Ok(())
    }

    fn flush(&mut self) -> nb::Result<(), serial::ErrorKind> {
        Ok(())
    }
}

impl embedded_hal::digital::ErrorType for &Desk {
    type Error = Infallible;
}

impl OutputPin for &Desk {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.lit.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.lit.set(true);
        Ok(())
    }
}

impl Meter for &Desk {
    fn ticks(&self) -> u32 {
        self.ticks.replace(self.ticks.get().wrapping_add(1))
    }

    fn ticks_per_second(&self) -> u32 {
        1_000
    }

    fn repaint_stack(&mut self) {}

    fn stack_used(&self) -> u32 {
        700
    }

    fn stack_depth(&self) -> u32 {
        300
    }

    fn stack_size(&self) -> u32 {
        10_000
    }
}

/// The lines of a session in which this is typed, and whether the light was lit at its end.
fn session(typed: &[u8]) -> (Vec<String>, bool) {
    let desk = Desk::default();
    desk.typed.borrow_mut().extend(typed);
    let mut memory = Box::new(Memory::ZERO);
    // Once nothing is left to read, what waits in the port's own queue is taken too.
    let mut rest = 300;
    serve(&desk, &desk, &desk, &mut memory, || {
        rest -= i32::from(desk.typed.borrow().is_empty());
        rest > 0
    });
    let printed = String::from_utf8(desk.printed.take()).unwrap();
    (printed.lines().map(str::to_owned).collect(), desk.lit.get())
}

fn typed(text: &str) -> Vec<String> {
    session(text.as_bytes()).0
}

/// The word after a name.
fn value<'l>(line: &'l str, name: &str) -> Option<&'l str> {
    let mut words = line.split_whitespace();
    words.by_ref().find(|&word| word == name)?;
    words.next()
}

fn number(line: &str, name: &str) -> f64 {
    value(line, name).and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
}

#[test]
fn it_learns_the_built_in_function_and_the_light_stays_on() {
    let (lines, lit) = session(b"train 25\n");
    let last_step = lines.iter().rfind(|line| line.starts_with("step")).unwrap();
    assert!(number(last_step, "error") <= 1e-5, "{last_step}");
    assert!(lines.iter().any(|line| line.starts_with("reached")));
    assert!(lit);
}

#[test]
fn every_method_trains_on_samples_that_were_fed() {
    for method in Method::ALL {
        for setting in ["relaxed off", "relaxed on", "control gain-ratio"] {
            let text = format!("draw 64\ndt 1e-3\nmethod {}\n{setting}\ntrain 3\n", method.name());
            let lines = typed(&text);
            let refused = lines.iter().any(|line| line.starts_with("error:"));
            let steps = lines.iter().filter(|line| line.starts_with("step"));
            let losses: Vec<f64> = steps.map(|line| number(line, "loss")).collect();
            assert_eq!(losses.len(), 3, "{method:?}, {setting}: {lines:?}");
            assert!(losses.iter().all(|loss| loss.is_finite()), "{losses:?}");
            // What a method has not is refused, and the settings stay as they were.
            let has = match setting {
                "relaxed on" => !matches!(method, Method::Sgd | Method::Adam),
                "control gain-ratio" => method == Method::IeqFull,
                _ => true,
            };
            assert_eq!(refused, !has, "{method:?}, {setting}: {lines:?}");
        }
    }
}

#[test]
fn own_samples_are_learnt_and_the_file_of_save_holds_the_weights() {
    let target = |x: f64| x / 4.0 - x * x / 10.0;
    let mut text = String::from("dt 1e3\ntarget 1e-7\n");
    for i in 0..60 {
        let x = -2.95 + 0.1 * f64::from(i);
        text += &format!("data {x:.4},{:.6}\n", target(x));
    }
    text += "train 40\npredict 1.5\ndigest\nsave\n";
    let lines = typed(&text);
    let predicted = lines.iter().find(|line| line.starts_with("predict")).unwrap();
    assert!((number(predicted, "f") - target(1.5)).abs() < 0.02, "{predicted}");

    let digits: String = lines.iter().filter_map(|line| line.strip_prefix(':')).collect();
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).unwrap());
    let file: Vec<u8> = pairs.map(|pair| u8::from_str_radix(pair, 16).unwrap()).collect();
    let mut w = [0.0_f32; PARAMETERS];
    weights::read(&Header::parse(&file).unwrap(), &file, &mut w).unwrap();
    let digest = Digest::new().update(&w).unwrap().finish();
    let printed = lines.iter().find_map(|line| value(line, "digest")).unwrap();
    assert_eq!(printed, format!("{digest:016x}"));
}

#[test]
fn what_was_saved_is_loaded_and_a_damaged_file_is_not() {
    let saved = typed("train 5\nsave\n");
    let start = saved.iter().position(|line| line.trim().starts_with("load")).unwrap();
    let file = saved[start..].iter().take_while(|line| *line != "ok");
    let file: Vec<&str> =
        file.map(|line| line.trim()).filter(|line| !line.contains("digest")).collect();
    let digest = saved.iter().find_map(|line| value(line, "digest")).unwrap();
    let loaded = typed(&(file.join("\n") + "\n"));
    assert!(loaded.iter().any(|line| value(line, "digest") == Some(digest)), "{loaded:?}");
    // Another digit in the header, whose bytes no weight depends on.
    let digit = if file[2].starts_with(":0") { ":1" } else { ":0" };
    let damaged = format!("{digit}{}", &file[2][2..]);
    let refused = typed(&(file.join("\n").replace(file[2], &damaged) + "\ndigest\n"));
    assert!(refused.iter().any(|line| line.starts_with("error: not a file")), "{refused:?}");
    assert!(refused.iter().all(|line| value(line, "digest") != Some(digest)));
}

#[test]
fn noise_and_nonsense_are_refused_and_change_nothing() {
    let mut rng = Pcg32::new(7, Stream::Other);
    let mut bytes = b"seed 3\ndigest\n".to_vec();
    bytes.extend((0..10_000).map(|_| rng.next() as u8));
    bytes.extend(b"\n");
    let wrong = ["tra1n 5", "train", "dt nan", "data 1", "load 9999", ":00", "eta 1", "batch 65"];
    for line in wrong {
        bytes.extend(line.bytes().chain(*b"\n"));
    }
    bytes.extend([b'x'; 5_000]);
    bytes.extend(b"\ndigest\n");
    let (lines, _) = session(&bytes);
    let digests: Vec<&str> = lines.iter().filter_map(|line| value(line, "digest")).collect();
    assert_eq!(digests.len(), 2, "{lines:?}");
    assert_eq!(digests[0], digests[1]);
    let refusals = lines.iter().filter(|line| line.starts_with("error:")).count();
    assert!(refusals > wrong.len(), "{refusals}");
}

#[test]
fn control_c_stops_training() {
    let lines = typed("target 0\ntrain 1000000\n\x03predict 0\n");
    assert!(lines.iter().any(|line| line == "stopped"));
    assert!(lines.last().is_some_and(|line| line == "ok"));
}

#[test]
fn a_timed_run_tells_steps_ticks_and_stack() {
    let lines = typed("bench 25\n");
    let reached = lines.iter().find(|line| line.starts_with("reached error 1e-5")).unwrap();
    assert!(number(reached, "steps") <= 25.0);
    let bench = lines.iter().find(|line| line.starts_with("bench")).unwrap();
    assert_eq!([number(bench, "stack"), number(bench, "of-a-step")], [700.0, 400.0]);
}
