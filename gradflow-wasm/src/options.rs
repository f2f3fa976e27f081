//! The plain options object of the page, checked like a command line.

use gradflow_core::network::Init;
use gradflow_core::scheme::{
    Control, Coupling, Memory, Method, OperatorChoice, ResidualChoice, Settings, SolverChoice,
};
use gradflow_core::training::Schedule;

/// Everything that decides a run, apart from its data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// The scheme.
    pub settings: Settings<f32>,
    /// Hidden units.
    pub hidden: usize,
    /// Whether outputs have a bias; `None`: as the initialisation says.
    pub output_bias: Option<bool>,
    /// Initialisation; `None`: NTK for regression, Kaiming for classification.
    pub init: Option<Init>,
    /// Samples a step; `None`: all.
    pub batch: Option<usize>,
    /// How Δt moves.
    pub schedule: Schedule,
    /// Length of the run, which a schedule needs.
    pub steps: u32,
    /// Seed of weights and batches.
    pub seed: u64,
    /// Whether a scalar auxiliary variable starts from the loss of the whole set, instead of the first
    /// batch's.
    pub whole_start: bool,
    /// Whether each step's law is checked, at the price of some forward passes.
    pub audit: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            settings: Settings::new(Method::Sav),
            hidden: 100,
            output_bias: None,
            init: None,
            batch: Some(64),
            schedule: Schedule::Constant,
            steps: 10_000,
            seed: 0,
            whole_start: false,
            audit: false,
        }
    }
}

/// One value of the options object.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
    /// Yes or no.
    Flag(bool),
}

impl Options {
    /// The options of these names and values; what is not named keeps its default.
    ///
    /// # Errors
    /// A name or a value that does not exist; the text says which.
    pub fn read(pairs: impl IntoIterator<Item = (String, Value)>) -> Result<Self, String> {
        let mut options = Self::default();
        for (name, value) in pairs {
            options.set(&name, &value)?;
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let settings = &mut self.settings;
        let at = Named { name, value };
        match name {
            "method" => settings.method = at.choose(Method::from_name)?,
            "relaxed" => settings.relaxed = at.flag()?,
            "coupling" => settings.coupling = Some(at.choose(coupling)?),
            "residual" => settings.residual = Some(at.choose(residual)?),
            "q" => settings.memory = Some(at.choose(memory)?),
            "control" => settings.control = at.choose(control)?,
            "operator" => settings.operator = at.choose(operator)?,
            "solver" => settings.solver = Some(at.choose(solver)?),
            "dt" => settings.dt = at.real()?,
            "lambda" => settings.lambda = at.real()?,
            "c" => settings.c = at.real()?,
            "epsilon" => settings.epsilon = at.real()?,
            "eta" => settings.eta = at.real()?,
            "hidden" => self.hidden = at.count(1 << 16)? as usize,
            "outputBias" => self.output_bias = Some(at.flag()?),
            "init" => self.init = Some(at.choose(init)?),
            "batch" if *value == Value::Text("full".into()) => self.batch = None,
            "batch" => self.batch = Some(at.count(1 << 24)? as usize),
            "schedule" => self.schedule = at.choose(schedule)?,
            "steps" => self.steps = at.count(u64::from(u32::MAX))? as u32,
            "seed" => self.seed = at.count((1 << 53) - 1)?,
            "r0" => self.whole_start = at.choose(start)?,
            "audit" => self.audit = at.flag()?,
            _ => return Err(format!("there is no option `{name}`")),
        }
        Ok(())
    }
}

/// A value with the name that errors tell.
struct Named<'a> {
    name: &'a str,
    value: &'a Value,
}

impl Named<'_> {
    fn choose<T>(&self, from_name: impl Fn(&str) -> Option<T>) -> Result<T, String> {
        match self.value {
            Value::Text(text) => {
                from_name(text).ok_or_else(|| format!("option `{}` cannot be `{text}`", self.name))
            }
            _ => Err(format!("option `{}` must be a text", self.name)),
        }
    }

    fn flag(&self) -> Result<bool, String> {
        match self.value {
            Value::Flag(flag) => Ok(*flag),
            _ => Err(format!("option `{}` must be true or false", self.name)),
        }
    }

    /// A number; its range is for the scheme to check.
    fn real(&self) -> Result<f32, String> {
        match self.value {
            Value::Number(number) => Ok(*number as f32),
            _ => Err(format!("option `{}` must be a number", self.name)),
        }
    }

    fn count(&self, most: u64) -> Result<u64, String> {
        match *self.value {
            Value::Number(number)
                if number >= 0.0 && number <= most as f64 && number.fract() == 0.0 =>
            {
                Ok(number as u64)
            }
            _ => Err(format!("option `{}` must be a whole number up to {most}", self.name)),
        }
    }
}

fn coupling(name: &str) -> Option<Coupling> {
    match name {
        "ratio" => Some(Coupling::Ratio),
        "consistent" => Some(Coupling::Consistent),
        _ => None,
    }
}

fn residual(name: &str) -> Option<ResidualChoice> {
    match name {
        "sqrt-loss" => Some(ResidualChoice::SqrtLoss),
        "brier" => Some(ResidualChoice::Brier),
        "ggn" => Some(ResidualChoice::Ggn),
        "logit" => Some(ResidualChoice::Logit),
        "raw" => Some(ResidualChoice::Raw),
        _ => None,
    }
}

fn memory(name: &str) -> Option<Memory> {
    match name {
        "fresh" => Some(Memory::Fresh),
        "persistent" => Some(Memory::Persistent),
        _ => None,
    }
}

fn control(name: &str) -> Option<Control> {
    match name {
        "fixed" => Some(Control::Fixed),
        "gain-ratio" => Some(Control::GainRatio),
        _ => None,
    }
}

fn operator(name: &str) -> Option<OperatorChoice> {
    match name {
        "scalar" => Some(OperatorChoice::Scalar),
        "diagonal" => Some(OperatorChoice::Diagonal),
        _ => None,
    }
}

fn solver(name: &str) -> Option<SolverChoice> {
    match name {
        "cholesky" => Some(SolverChoice::Cholesky),
        "cg" => Some(SolverChoice::ConjugateGradients),
        _ => None,
    }
}

fn init(name: &str) -> Option<Init> {
    match name {
        "kaiming" => Some(Init::Kaiming),
        "ntk" => Some(Init::Ntk),
        _ => None,
    }
}

fn start(name: &str) -> Option<bool> {
    match name {
        "batch" => Some(false),
        "train" => Some(true),
        _ => None,
    }
}

fn schedule(name: &str) -> Option<Schedule> {
    match name {
        "constant" => Some(Schedule::Constant),
        "cosine" => Some(Schedule::Cosine),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: Value) -> Result<Options, String> {
        Options::read([(name.to_string(), value)])
    }

    #[test]
    fn every_kind_of_option_is_read() {
        let text = |text: &str| Value::Text(text.into());
        let options = Options::read([
            ("method".into(), text("ieq-full")),
            ("relaxed".into(), Value::Flag(true)),
            ("dt".into(), Value::Number(1e3)),
            ("r0".into(), text("train")),
            ("batch".into(), text("full")),
            ("seed".into(), Value::Number(7.0)),
        ]);
        let settings = Settings { relaxed: true, dt: 1e3, ..Settings::new(Method::IeqFull) };
        let expected =
            Options { settings, batch: None, seed: 7, whole_start: true, ..Options::default() };
        assert_eq!(options, Ok(expected));
    }

    #[test]
    fn what_does_not_exist_is_named() {
        for (name, value, reason) in [
            ("metod", Value::Text("sav".into()), "no option `metod`"),
            ("method", Value::Text("SAV".into()), "`method` cannot be `SAV`"),
            ("method", Value::Number(1.0), "`method` must be a text"),
            ("relaxed", Value::Text("yes".into()), "true or false"),
            ("dt", Value::Text("0.1".into()), "`dt` must be a number"),
            ("hidden", Value::Number(1.5), "`hidden` must be a whole number"),
            ("seed", Value::Number(-1.0), "`seed` must be a whole number"),
            ("steps", Value::Number(f64::NAN), "`steps` must be a whole number"),
        ] {
            let error = one(name, value).unwrap_err();
            assert!(error.contains(reason), "{error}");
        }
    }
}
