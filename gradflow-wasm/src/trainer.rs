//! What JavaScript sees: a data set and a trainer.

use std::rc::Rc;

use gradflow_core::Error;
use js_sys::{Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::data::Data;
use crate::engine::Engine;
use crate::message::message;
use crate::options::{Options, Value};

/// Shows a panic, which would be a defect of gradflow, as an error with its place and text.
#[wasm_bindgen(start)]
fn start() {
    std::panic::set_hook(Box::new(|info| wasm_bindgen::throw_str(&info.to_string())));
}

fn refused(error: Error) -> JsError {
    JsError::new(&message(error))
}

fn words(error: impl AsRef<str>) -> JsError {
    JsError::new(error.as_ref())
}

/// A set of samples. Many trainers can share one.
#[wasm_bindgen]
#[derive(Debug)]
pub struct DataSet(Rc<Data>);

#[wasm_bindgen]
impl DataSet {
    /// Samples of a task (`gaussian`, `sin-cos`, `quadratic`, `gaussian-10`) to train on.
    ///
    /// # Errors
    /// An unknown task or a number out of range.
    pub fn task(name: &str, seed: f64, samples: usize, noise: f32) -> Result<Self, JsError> {
        Data::train(name, seed as u64, samples, noise).map(Self::of).map_err(words)
    }

    /// The noiseless target of a task, to test on.
    ///
    /// # Errors
    /// An unknown task.
    pub fn clean(name: &str) -> Result<Self, JsError> {
        Data::clean(name).map(Self::of).map_err(words)
    }

    /// Rows of `inputs` numbers each, and one target for each row.
    ///
    /// # Errors
    /// Lengths that do not fit, or numbers that are not finite.
    pub fn values(inputs: usize, x: Vec<f32>, y: Vec<f32>) -> Result<Self, JsError> {
        Data::values(inputs, x, y).map(Self::of).map_err(words)
    }

    /// Images and labels, each as the bytes of an IDX file.
    ///
    /// # Errors
    /// Bytes that are not such files.
    pub fn images(images: &[u8], labels: &[u8]) -> Result<Self, JsError> {
        Data::images(images, labels).map(Self::of).map_err(words)
    }

    fn of(data: Data) -> Self {
        Self(Rc::new(data))
    }

    /// Number of samples.
    #[wasm_bindgen(getter)]
    pub fn length(&self) -> usize {
        self.0.len()
    }

    /// Numbers in a sample's row of inputs.
    #[wasm_bindgen(getter)]
    pub fn inputs(&self) -> usize {
        self.0.inputs()
    }

    /// Inputs of all samples, a copy; empty for images.
    pub fn x(&self) -> Vec<f32> {
        self.0.x().to_vec()
    }

    /// Targets of all samples, a copy; empty for images.
    pub fn y(&self) -> Vec<f32> {
        self.0.y().to_vec()
    }
}

/// A network in training.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Trainer(Engine);

#[wasm_bindgen]
impl Trainer {
    /// A run at step 0. `options` is a plain object with the names of the command line's flags:
    /// `{ method: "sav", relaxed: true, dt: 1, batch: 64, seed: 0 }`.
    ///
    /// # Errors
    /// An option that does not exist or has no meaning here.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &Object, data: &DataSet) -> Result<Self, JsError> {
        let options = read(options)?;
        Engine::new(options, Rc::clone(&data.0)).map(Self).map_err(refused)
    }

    /// Takes up to `n` steps and returns how many were taken: fewer once the run has diverged.
    ///
    /// # Errors
    /// A mistake in the set-up.
    pub fn step_many(&mut self, n: u32) -> Result<u32, JsError> {
        self.0.step_many(n).map_err(refused)
    }

    /// Steps taken so far.
    #[wasm_bindgen(getter)]
    pub fn steps(&self) -> u32 {
        self.0.steps()
    }

    /// Steps in an epoch.
    #[wasm_bindgen(getter)]
    pub fn steps_per_epoch(&self) -> usize {
        self.0.steps_per_epoch()
    }

    /// Why the run diverged, if it did: `steps` is then the step that failed.
    #[wasm_bindgen(getter)]
    pub fn failure(&self) -> Option<String> {
        self.0.failure().map(message)
    }

    /// Δt of the next step.
    #[wasm_bindgen(getter)]
    pub fn dt(&self) -> f32 {
        self.0.dt()
    }

    /// Changes Δt from the next step on.
    ///
    /// # Errors
    /// A Δt that is not finite and positive.
    pub fn set_dt(&mut self, dt: f32) -> Result<(), JsError> {
        self.0.set_dt(dt).map_err(refused)
    }

    /// Step numbers of the kept rows of the trace, from row `from` on.
    pub fn curve_steps(&self, from: usize) -> Vec<u32> {
        self.0.curve().steps().get(from..).unwrap_or_default().to_vec()
    }

    /// Epochs of these rows.
    pub fn curve_epochs(&self, from: usize) -> Vec<u32> {
        self.0.curve().epochs().get(from..).unwrap_or_default().to_vec()
    }

    /// A column of these rows, by its name in the desktop's trace; NaN where it is empty there.
    ///
    /// # Errors
    /// An unknown column.
    pub fn curve(&self, column: &str, from: usize) -> Result<Vec<f32>, JsError> {
        let values = self.0.curve().column(column);
        let values = values.ok_or_else(|| words(format!("there is no column `{column}`")))?;
        Ok(values.get(from..).unwrap_or_default().to_vec())
    }

    /// The law of the scheme as a formula; without one, the reason.
    #[wasm_bindgen(getter)]
    pub fn law(&self) -> String {
        self.0.law().to_owned()
    }

    /// True if the scheme has a law that can be checked.
    #[wasm_bindgen(getter)]
    pub fn has_law(&self) -> bool {
        self.0.has_law()
    }

    /// What the audit counted: `[steps checked, steps that broke the law, the first of them (or
    /// -1), largest deviation in units of its tolerance, steps at which the loss on the step's own
    /// batch rose]`; empty without `audit: true`.
    pub fn tally(&self) -> Vec<f64> {
        self.0.tally().map_or_else(Vec::new, |tally| {
            let first = tally.first.map_or(-1.0, |violation| violation.step as f64);
            let worst = tally.worst.map_or(0.0, |violation| violation.severity());
            let counts = [tally.checked, tally.violations].map(|count| count as f64);
            vec![counts[0], counts[1], first, worst, tally.loss_increases as f64]
        })
    }

    /// The parameters as the bytes of a safetensors file, which `gradflow` reads too.
    ///
    /// # Errors
    /// Parameters that are not finite.
    pub fn save(&self) -> Result<Vec<u8>, JsError> {
        self.0.save().map_err(refused)
    }

    /// Starts from the parameters of a safetensors file; only before the first step.
    ///
    /// # Errors
    /// A file of another network, or a run that has begun.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), JsError> {
        self.0.load(bytes).map_err(refused)
    }

    /// A copy of the parameters.
    pub fn weights(&self) -> Vec<f32> {
        self.0.weights().to_vec()
    }

    /// Where the parameters are in the module's memory: a `Float32Array` over it copies nothing,
    /// and is valid until the module's memory grows.
    #[wasm_bindgen(getter)]
    pub fn weights_ptr(&self) -> *const f32 {
        self.0.weights().as_ptr()
    }

    /// Number of parameters.
    #[wasm_bindgen(getter)]
    pub fn parameters(&self) -> usize {
        self.0.weights().len()
    }

    /// Outputs for rows of inputs.
    ///
    /// # Errors
    /// Rows of the wrong length.
    pub fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>, JsError> {
        self.0.predict(x).map_err(refused)
    }

    /// Outputs for every sample of a set.
    ///
    /// # Errors
    /// A set that does not fit the network.
    pub fn predict_data(&mut self, data: &DataSet) -> Result<Vec<f32>, JsError> {
        self.0.predict_data(&data.0).map_err(refused)
    }

    /// `[loss, right answers, samples]` on a set.
    ///
    /// # Errors
    /// A set that does not fit the network.
    pub fn evaluate(&mut self, data: &DataSet) -> Result<Vec<f64>, JsError> {
        let evaluation = self.0.evaluate(&data.0).map_err(refused)?;
        Ok(vec![evaluation.loss, evaluation.correct as f64, evaluation.samples as f64])
    }
}

/// Reads the plain object; `undefined` and `null` count as not given.
fn read(options: &Object) -> Result<Options, JsError> {
    let mut pairs = Vec::new();
    for key in Object::keys(options).iter() {
        let name = key.as_string().unwrap_or_default();
        let value = Reflect::get(options, &key).unwrap_or_default();
        if value.is_undefined() || value.is_null() {
            continue;
        }
        let number = value.as_f64().map(Value::Number);
        let known = number.or_else(|| value.as_bool().map(Value::Flag));
        let known = known.or_else(|| value.as_string().map(Value::Text));
        let refused = || words(format!("option `{name}` must be a number, a text, true or false"));
        pairs.push((name.clone(), known.ok_or_else(refused)?));
    }
    Options::read(pairs).map_err(words)
}
