//! Commands, as they are typed: a name and what it needs, in one line.

use gradflow_core::network::GramForm;
use gradflow_core::scheme::{Control, Coupling, Method, OperatorChoice, SolverChoice};

use crate::number::{hex_byte, parse_integer, parse_real};
use crate::settings::{Choice, Source};
use crate::{LARGEST_BATCH, SAMPLES};

/// What `help` prints.
pub(crate) const HELP: &str = "\
train N         take N steps; Ctrl-C stops; prints step, loss, error
predict X       f(X)
data X,Y ...    feed samples and train on them from now on
draw N          feed N samples of exp(-x^2), drawn over [-3, 3]
forget          drop all samples, train on exp(-x^2) again
fit N           x, f(x) and exp(-x^2) at N points
error           mean squared error against exp(-x^2)
recent          losses of the last steps
weights         every unit, in numbers; digest: in one number
save            the weights as a file, in lines of hex digits
load LEN        then the lines of save: weights in place of these
bench N         N steps from the start, timed
reset           begin again from the seed
status, stack   settings; stack in bytes
method sgd|adam|sav|exp-sav|ieq-adaptive|ieq-full
dt X            step size (lr of sgd and adam)
lambda X, c X, eta X, epsilon X
relaxed on|off, coupling ratio|consistent, control fixed|gain-ratio
solver closed-form|cholesky|cg, operator scalar|diagonal
batch N, seed N, target X, every N, auto N, source function|data
";

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
    let alone =
        |command| if rest.is_empty() { Ok(command) } else { Err(Refusal::Needs("nothing")) };
    let count = |most: u32, needs| match parse_integer(rest) {
        Some(n) if (1..=most).contains(&n) => Ok(n),
        _ => Err(Refusal::Needs(needs)),
    };
    Ok(match name {
        b"help" | b"?" => alone(Command::Help)?,
        b"status" => alone(Command::Status)?,
        b"stack" => alone(Command::Stack)?,
        b"reset" => alone(Command::Reset)?,
        b"forget" => alone(Command::Forget)?,
        b"error" => alone(Command::Error)?,
        b"recent" => alone(Command::Recent)?,
        b"weights" => alone(Command::Weights)?,
        b"digest" => alone(Command::Digest)?,
        b"save" => alone(Command::Save)?,
        b"train" => Command::Train(count(1_000_000, "a number of steps, 1 to 1000000")?),
        b"bench" => Command::Bench(count(1_000_000, "a number of steps, 1 to 1000000")?),
        b"load" => Command::Load(count(u32::MAX, "the file's length, as save prints it")?),
        b"draw" => Command::Draw(count(SAMPLES as u32, "a number of samples, 1 to 256")?),
        b"fit" => Command::Fit(count(1_000, "a number of points, 1 to 1000")?),
        b"predict" => Command::Predict(real(rest)?),
        b"data" => Command::Data(rest),
        _ => Command::Set(set(name, rest, *choice)?),
    })
}

/// Reads pairs of numbers, each number ended by a comma or blanks; `feed` takes them.
///
/// # Errors
/// Something else, before anything is fed.
pub(crate) fn pairs(list: &[u8], mut feed: impl FnMut(f32, f32)) -> Result<u32, Refusal> {
    let needs = Refusal::Needs("pairs of numbers: data X,Y X,Y ...");
    let words = || list.split(|byte| b", \t;".contains(byte)).filter(|word| !word.is_empty());
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

fn set(name: &[u8], value: &[u8], mut choice: Choice) -> Result<Choice, Refusal> {
    let scheme = &mut choice.scheme;
    match name {
        b"method" => {
            let found = Method::ALL.into_iter().find(|method| method.name().as_bytes() == value);
            scheme.method =
                found.ok_or(Refusal::Needs("sgd, adam, sav, exp-sav, ieq-adaptive or ieq-full"))?;
        }
        b"dt" => match real(value)? {
            dt if dt > 0.0 => scheme.dt = dt,
            _ => return Err(Refusal::Needs("a positive number")),
        },
        b"lambda" => scheme.lambda = at_least_zero(value)?,
        b"c" => scheme.c = real(value)?,
        b"epsilon" => scheme.epsilon = at_least_zero(value)?,
        b"eta" => match real(value)? {
            eta if (0.0..1.0).contains(&eta) => scheme.eta = eta,
            _ => return Err(Refusal::Needs("a number from 0 to less than 1")),
        },
        b"relaxed" => {
            scheme.relaxed = named(value, &[("on", true), ("off", false)], "on or off")?;
        }
        b"coupling" => {
            let choices = [("ratio", Coupling::Ratio), ("consistent", Coupling::Consistent)];
            scheme.coupling = Some(named(value, &choices, "ratio or consistent")?);
        }
        b"control" => {
            let choices = [("fixed", Control::Fixed), ("gain-ratio", Control::GainRatio)];
            scheme.control = named(value, &choices, "fixed or gain-ratio")?;
        }
        b"operator" => {
            let choices =
                [("scalar", OperatorChoice::Scalar), ("diagonal", OperatorChoice::Diagonal)];
            scheme.operator = named(value, &choices, "scalar or diagonal")?;
        }
        b"solver" => {
            let choices = [
                ("closed-form", (SolverChoice::Cholesky, GramForm::Closed)),
                ("cholesky", (SolverChoice::Cholesky, GramForm::General)),
                ("cg", (SolverChoice::ConjugateGradients, GramForm::General)),
            ];
            let (solver, form) = named(value, &choices, "closed-form, cholesky or cg")?;
            (scheme.solver, choice.gram_form) = (Some(solver), form);
        }
        b"source" => {
            let choices = [("function", Source::Function), ("data", Source::Data)];
            choice.source = named(value, &choices, "function or data")?;
        }
        b"batch" => {
            choice.batch =
                whole(value, 1, LARGEST_BATCH as u32, "a number of samples, 1 to 64")? as usize;
        }
        b"seed" => choice.seed = whole(value, 0, u32::MAX, "a whole number, 0 to 4294967295")?,
        b"every" => choice.every = whole(value, 1, u32::MAX, "a number of steps, at least 1")?,
        b"auto" => choice.auto = whole(value, 0, 1_000, "a number of steps, 0 to 1000")?,
        b"target" => choice.target = at_least_zero(value)?,
        _ => return Err(Refusal::Unknown),
    }
    Ok(choice)
}
