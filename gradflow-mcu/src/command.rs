//! Commands, as they are typed: a name and what it needs, in one line.

use gradflow_core::network::GramForm;
use gradflow_core::scheme::{Control, Coupling, Method};

use crate::number::{hex_byte, parse_integer, parse_real};
use crate::settings::{Choice, Source};
use crate::{LARGEST_BATCH, SAMPLES};

/// What `help` prints, line by line.
pub(crate) const HELP: &[u8] = b"\
train N        take N steps (Ctrl-C stops)
predict X      f(X)
data X,Y ...   feed samples, and train on them from now on
draw N         feed N samples of exp(-x^2)
forget         drop all samples, train on exp(-x^2)
fit N          x, f(x), exp(-x^2) at N points
error          mean squared error against exp(-x^2)
recent         losses of the last steps
weights        every unit; digest: all in one number
save           the weights as a file in hex digits
load LEN       then the lines of save
bench N        N timed steps from the start
reset          begin again from the seed
status, stack  settings; stack in bytes
method sgd|adam|sav|exp-sav|ieq-adaptive|ieq-full
dt X           step size (lr of sgd and adam)
lambda X, c X, eta X, epsilon X
relaxed on|off, coupling ratio|consistent, control fixed|gain-ratio
solver closed-form|cholesky
batch N, seed N, target X, every N, auto N, source function|data";

/// One command.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Command<'l> {
    /// Print the commands.
    Help,
    /// Print the settings.
    Status,
    /// Print the stack's depth.
    Stack,
    /// Begin again.
    Reset,
    /// Take steps.
    Train(u32),
    /// Evaluate the network.
    Predict(f32),
    /// Feed the samples of this list.
    Data(&'l [u8]),
    /// Feed samples of the function.
    Draw(u32),
    /// Drop all samples.
    Forget,
    /// Evaluate the network at many points.
    Fit(u32),
    /// Print the error on the grid.
    Error,
    /// Print the last losses.
    Recent,
    /// Print the weights.
    Weights,
    /// Print their digest.
    Digest,
    /// Print the weights' file.
    Save,
    /// Get ready for a weights' file.
    Load(u32),
    /// A piece of it.
    Bytes(&'l [u8]),
    /// Time steps.
    Bench(u32),
    /// Change a setting.
    Set(Choice),
}

/// Why a line is no command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no command of this name.
    Unknown,
    /// What follows the name; the text says what is needed.
    Needs(&'static str),
}

/// The names of all commands and settings. A table is smaller than comparisons in code.
#[derive(Clone, Copy)]
enum Word {
    Help,
    Status,
    Stack,
    Reset,
    Forget,
    Error,
    Recent,
    Weights,
    Digest,
    Save,
    Train,
    Bench,
    Load,
    Draw,
    Fit,
    Predict,
    Data,
    Method,
    Dt,
    Lambda,
    C,
    Epsilon,
    Eta,
    Relaxed,
    Coupling,
    Control,
    Solver,
    Source,
    Batch,
    Seed,
    Every,
    Auto,
    Target,
}

const WORDS: [(&str, Word); 33] = [
    ("help", Word::Help),
    ("status", Word::Status),
    ("stack", Word::Stack),
    ("reset", Word::Reset),
    ("forget", Word::Forget),
    ("error", Word::Error),
    ("recent", Word::Recent),
    ("weights", Word::Weights),
    ("digest", Word::Digest),
    ("save", Word::Save),
    ("train", Word::Train),
    ("bench", Word::Bench),
    ("load", Word::Load),
    ("draw", Word::Draw),
    ("fit", Word::Fit),
    ("predict", Word::Predict),
    ("data", Word::Data),
    ("method", Word::Method),
    ("dt", Word::Dt),
    ("lambda", Word::Lambda),
    ("c", Word::C),
    ("epsilon", Word::Epsilon),
    ("eta", Word::Eta),
    ("relaxed", Word::Relaxed),
    ("coupling", Word::Coupling),
    ("control", Word::Control),
    ("solver", Word::Solver),
    ("source", Word::Source),
    ("batch", Word::Batch),
    ("seed", Word::Seed),
    ("every", Word::Every),
    ("auto", Word::Auto),
    ("target", Word::Target),
];

/// Reads a line; settings are changes of `choice`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse<'l>(line: &'l [u8], choice: &Choice) -> Result<Command<'l>, Refusal> {
    if let [b':', digits @ ..] = line {
        return Ok(Command::Bytes(digits));
    }
    let end = line.iter().position(|&byte| byte == b' ' || byte == b'\t').unwrap_or(line.len());
    let (name, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    let rest = rest.trim_ascii();
    let found = WORDS.iter().find(|(word, _)| word.as_bytes() == name);
    let &(_, word) = found.ok_or(Refusal::Unknown)?;
    let steps = || whole(rest, 1, 1_000_000, "a number of steps, 1 to 1000000");
    let command = match word {
        Word::Train => return steps().map(Command::Train),
        Word::Bench => return steps().map(Command::Bench),
        Word::Load => {
            let length = whole(rest, 1, u32::MAX, "the file's length, as save prints it");
            return length.map(Command::Load);
        }
        Word::Draw => {
            let samples = whole(rest, 1, SAMPLES as u32, "a number of samples, 1 to 256");
            return samples.map(Command::Draw);
        }
        Word::Fit => {
            return whole(rest, 1, 1_000, "a number of points, 1 to 1000").map(Command::Fit);
        }
        Word::Predict => return real(rest).map(Command::Predict),
        Word::Data => return Ok(Command::Data(rest)),
        Word::Help => Command::Help,
        Word::Status => Command::Status,
        Word::Stack => Command::Stack,
        Word::Reset => Command::Reset,
        Word::Forget => Command::Forget,
        Word::Error => Command::Error,
        Word::Recent => Command::Recent,
        Word::Weights => Command::Weights,
        Word::Digest => Command::Digest,
        Word::Save => Command::Save,
        setting => return set(setting, rest, *choice).map(Command::Set),
    };
    if rest.is_empty() { Ok(command) } else { Err(Refusal::Needs("nothing")) }
}

/// Reads pairs of numbers, each number ended by a comma or blanks; `feed` takes them.
///
/// # Errors
/// Something else, before anything is fed.
pub(crate) fn pairs(list: &[u8], mut feed: impl FnMut(f32, f32)) -> Result<u32, Refusal> {
    let needs = Refusal::Needs("pairs of numbers: data X,Y X,Y ...");
    let between = |byte: &u8| matches!(byte, b',' | b';' | b' ' | b'\t');
    let words = || list.split(between).filter(|word| !word.is_empty());
    if !words().all(|word| parse_real(word).is_some()) {
        return Err(needs);
    }
    let count = words().count() as u32;
    if count == 0 || !count.is_multiple_of(2) {
        return Err(needs);
    }
    let mut numbers = words().filter_map(parse_real);
    while let (Some(x), Some(y)) = (numbers.next(), numbers.next()) {
        feed(x, y);
    }
    Ok(count / 2)
}

/// The bytes of pairs of hexadecimal digits, one after another into `take`.
///
/// # Errors
/// An odd number of digits or another character, before anything is taken.
pub(crate) fn bytes(digits: &[u8], mut take: impl FnMut(u8)) -> Result<(), Refusal> {
    let (pairs, rest) = digits.as_chunks::<2>();
    if !rest.is_empty() || pairs.is_empty() || !pairs.iter().all(|&pair| hex_byte(pair).is_some()) {
        return Err(Refusal::Needs("pairs of hexadecimal digits"));
    }
    pairs.iter().filter_map(|&pair| hex_byte(pair)).for_each(&mut take);
    Ok(())
}

fn real(text: &[u8]) -> Result<f32, Refusal> {
    parse_real(text).ok_or(Refusal::Needs("a number, such as 0.5, -1e3 or 0x3f000000"))
}

/// A number in the range of a setting; the schemes refuse the rest by themselves.
fn at_least_zero(text: &[u8]) -> Result<f32, Refusal> {
    match real(text)? {
        value if value >= 0.0 => Ok(value),
        _ => Err(Refusal::Needs("a number that is not negative")),
    }
}

fn whole(text: &[u8], least: u32, most: u32, needs: &'static str) -> Result<u32, Refusal> {
    match parse_integer(text) {
        Some(value) if (least..=most).contains(&value) => Ok(value),
        _ => Err(Refusal::Needs(needs)),
    }
}

/// The choice whose name is `text`.
fn named<V: Copy>(text: &[u8], choices: &[(&str, V)], needs: &'static str) -> Result<V, Refusal> {
    let found = choices.iter().find(|(name, _)| name.as_bytes() == text);
    found.map(|&(_, value)| value).ok_or(Refusal::Needs(needs))
}

fn set(setting: Word, value: &[u8], mut choice: Choice) -> Result<Choice, Refusal> {
    let scheme = &mut choice.scheme;
    match setting {
        Word::Method => {
            let found = Method::ALL.into_iter().find(|method| method.name().as_bytes() == value);
            scheme.method =
                found.ok_or(Refusal::Needs("sgd, adam, sav, exp-sav, ieq-adaptive or ieq-full"))?;
        }
        Word::Dt => match real(value)? {
            dt if dt > 0.0 => scheme.dt = dt,
            _ => return Err(Refusal::Needs("a positive number")),
        },
        Word::Lambda => scheme.lambda = at_least_zero(value)?,
        Word::C => scheme.c = real(value)?,
        Word::Epsilon => scheme.epsilon = at_least_zero(value)?,
        Word::Eta => match real(value)? {
            eta if (0.0..1.0).contains(&eta) => scheme.eta = eta,
            _ => return Err(Refusal::Needs("a number from 0 to less than 1")),
        },
        Word::Relaxed => {
            scheme.relaxed = named(value, &[("on", true), ("off", false)], "on or off")?;
        }
        Word::Coupling => {
            let choices = [("ratio", Coupling::Ratio), ("consistent", Coupling::Consistent)];
            scheme.coupling = Some(named(value, &choices, "ratio or consistent")?);
        }
        Word::Control => {
            let choices = [("fixed", Control::Fixed), ("gain-ratio", Control::GainRatio)];
            scheme.control = named(value, &choices, "fixed or gain-ratio")?;
        }
        Word::Solver => {
            let choices = [("closed-form", GramForm::Closed), ("cholesky", GramForm::General)];
            choice.gram_form = named(value, &choices, "closed-form or cholesky")?;
        }
        Word::Source => {
            let choices = [("function", Source::Function), ("data", Source::Data)];
            choice.source = named(value, &choices, "function or data")?;
        }
        Word::Batch => {
            choice.batch =
                whole(value, 1, LARGEST_BATCH as u32, "a number of samples, 1 to 64")? as usize;
        }
        Word::Seed => choice.seed = whole(value, 0, u32::MAX, "a whole number, 0 to 4294967295")?,
        Word::Every => choice.every = whole(value, 1, u32::MAX, "a number of steps, at least 1")?,
        Word::Auto => choice.auto = whole(value, 0, 1_000, "a number of steps, 0 to 1000")?,
        Word::Target => choice.target = at_least_zero(value)?,
        _ => return Err(Refusal::Unknown),
    }
    Ok(choice)
}
