//! One training run, free of JavaScript: the loop around the core's steps.

use std::hint::black_box;
use std::rc::Rc;

use gradflow_core::audit::{Audit, Law, Tally};
use gradflow_core::network::{
    Batch, Evaluation, Inputs, Loss, Samples, Scratch, Targets, TwoLayer,
};
use gradflow_core::network::{Init, Residual};
use gradflow_core::scheme::{AnyScheme, Method, Scheme, Shape};
use gradflow_core::training::{Batches, Schedule};
use gradflow_core::weights::{self, Header};
use gradflow_core::{Error, Residuals};

use crate::buffer::Buffer;
use crate::curve::Curve;
use crate::data::Data;
use crate::options::Options;

/// Samples that are evaluated at a time.
const PIECE: usize = 64;

/// A network, its data and the scheme that trains it.
#[derive(Debug)]
pub struct Engine {
    options: Options,
    network: TwoLayer<f32>,
    weights: Buffer,
    scheme: AnyScheme<f32, Buffer>,
    batches: Batches<Vec<u32>>,
    data: Rc<Data>,
    loss: Loss,
    residual: Residual,
    reals: Buffer,
    indices: Vec<u32>,
    steps: u32,
    audit: Option<Audit<f32, Vec<f32>>>,
    curve: Curve,
    failure: Option<Error>,
}

impl Engine {
    /// A run at step 0, with the initial weights that belong to the seed.
    ///
    /// # Errors
    /// Options that have no meaning, or do not fit the data.
    pub fn new(options: Options, data: Rc<Data>) -> Result<Self, Error> {
        let loss = data.loss();
        let settings = options.settings;
        let init =
            options.init.unwrap_or(if loss.classifies() { Init::Kaiming } else { Init::Ntk });
        let output_bias = options.output_bias.unwrap_or(!loss.classifies());
        let network = TwoLayer::new(data.inputs(), options.hidden, data.outputs())?;
        let network = init.scale(network.with_output_bias(output_bias));
        let mut weights = Buffer::zeros(network.parameters());
        init.draw(&network, options.seed, &mut weights)?;

        let batch = options.batch.unwrap_or(data.len());
        let batches = Batches::new(vec![0; data.len()], batch, options.seed)?;
        let shape = Shape {
            parameters: network.parameters(),
            outputs: network.outputs(),
            batch,
            samples: data.len(),
        };
        let scheme = AnyScheme::new(&settings, loss, shape, Buffer::zeros)?;
        let residual = settings.residual(loss)?;
        let wants_residuals = matches!(settings.method, Method::IeqFull | Method::IeqAdaptive);
        let step = if wants_residuals {
            network.residual_scratch_len(batch)
        } else {
            network.scratch_len(batch)
        };
        let piece = network.scratch_len(PIECE);
        let law = Law::of(&settings, loss);
        let buffer = law.buffer_len(network.parameters(), batch * network.outputs());
        let mut engine = Self {
            loss: settings.trained_loss(loss),
            reals: Buffer::zeros(step.reals.max(piece.reals)),
            indices: vec![0; step.indices.max(piece.indices)],
            options,
            network,
            weights,
            scheme,
            batches,
            data,
            residual,
            steps: 0,
            audit: options.audit.then(|| Audit::new(law, vec![0.0; buffer])),
            curve: Curve::default(),
            failure: None,
        };
        engine.start()?;
        Ok(engine)
    }

    /// Defines a scalar auxiliary variable where the run starts, if the whole set is to do it.
    fn start(&mut self) -> Result<(), Error> {
        if self.options.whole_start {
            let data = Rc::clone(&self.data);
            let loss = self.evaluate_for(&data, self.loss)?.loss;
            self.scheme.start(loss as f32)?;
        }
        Ok(())
    }

    /// Takes up to `n` steps; returns how many were taken. A run that has diverged takes none.
    ///
    /// # Errors
    /// What is no divergence: a mistake in the set-up.
    pub fn step_many(&mut self, n: u32) -> Result<u32, Error> {
        let first = self.steps;
        while self.steps - first < n && self.failure.is_none() {
            match self.step() {
                Err(error) if error.is_divergence() => self.failure = Some(error),
                stepped => stepped?,
            }
        }
        Ok(self.steps - first)
    }

    fn step(&mut self) -> Result<(), Error> {
        if self.options.schedule != Schedule::Constant {
            let (n, steps) = (self.steps as usize, self.options.steps as usize);
            let dt = self.options.schedule.at(self.options.settings.dt, n, steps);
            Scheme::<f32, dyn Residuals<f32>>::set_dt(&mut self.scheme, dt);
        }
        let batch = Batch::of(self.data.samples(), self.batches.next_batch());
        let scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        let mut problem =
            self.network.on(batch, self.loss, scratch)?.with_residual(self.residual)?;
        // Behind an opaque pointer the kernels are compiled once, not once for every scheme: that
        // halves the module.
        let objective: &mut dyn Residuals<f32> = black_box(&mut problem);
        if let Some(audit) = &mut self.audit {
            audit.before(&self.weights)?;
        }
        let step = self.scheme.step(&mut self.weights, objective)?;
        if let Some(audit) = &mut self.audit {
            let n = u64::from(self.steps);
            audit.after(n, &self.weights, &step, objective, &self.scheme)?;
        }
        self.curve.record(self.steps, self.batches.epoch(), &step);
        self.steps += 1;
        Ok(())
    }

    /// Changes Δt from the next step on. After a divergence the run goes on from where it stood.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] unless Δt is finite and positive.
    pub fn set_dt(&mut self, dt: f32) -> Result<(), Error> {
        if !(dt > 0.0 && dt.is_finite()) {
            let what = gradflow_core::Setting::Dt;
            return Err(Error::OutOfRange { what, value: f64::from(dt) });
        }
        self.options.settings.dt = dt;
        Scheme::<f32, dyn Residuals<f32>>::set_dt(&mut self.scheme, dt);
        Ok(())
    }

    /// `f(x)` of dense rows, one after another.
    ///
    /// # Errors
    /// Rows of the wrong length.
    pub fn predict(&mut self, x: &[f32]) -> Result<Vec<f32>, Error> {
        let len = x.len() / self.network.inputs();
        let samples = Samples { inputs: Inputs::Dense(x), targets: Targets::Values(&[]) };
        self.predict_rows(Batch::all(samples, len))
    }

    /// `f(x)` of every sample of a set.
    ///
    /// # Errors
    /// A set with another number of inputs.
    pub fn predict_data(&mut self, data: &Data) -> Result<Vec<f32>, Error> {
        self.check_inputs(data)?;
        self.predict_rows(Batch::all(data.samples(), data.len()))
    }

    fn predict_rows(&mut self, batch: Batch<'_, f32>) -> Result<Vec<f32>, Error> {
        let needed = self.network.scratch_len(batch.len());
        self.reals.reserve(needed.reals);
        let mut out = vec![0.0; batch.len() * self.network.outputs()];
        let mut scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        self.network.predict(&self.weights, batch, &mut scratch, &mut out)?;
        Ok(out)
    }

    /// Loss, and right answers, on a set.
    ///
    /// # Errors
    /// A set with other inputs or outputs.
    pub fn evaluate(&mut self, data: &Data) -> Result<Evaluation, Error> {
        self.evaluate_for(data, data.loss())
    }

    fn evaluate_for(&mut self, data: &Data, loss: Loss) -> Result<Evaluation, Error> {
        self.check_inputs(data)?;
        let order: Vec<u32> = (0..).take(data.len()).collect();
        let mut scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        self.network.evaluate(&self.weights, data.samples(), &order, loss, &mut scratch)
    }

    fn check_inputs(&self, data: &Data) -> Result<(), Error> {
        if data.inputs() == self.network.inputs() && data.outputs() == self.network.outputs() {
            Ok(())
        } else {
            Err(Error::Unsupported("this set has other inputs or outputs than the network"))
        }
    }

    /// Steps taken.
    #[must_use]
    pub fn steps(&self) -> u32 {
        self.steps
    }

    /// Why training stopped, if it diverged; parameters are those before the failed step.
    #[must_use]
    pub fn failure(&self) -> Option<Error> {
        self.failure
    }

    /// Δt of the next step.
    #[must_use]
    pub fn dt(&self) -> f32 {
        Scheme::<f32, dyn Residuals<f32>>::dt(&self.scheme)
    }

    /// Steps in an epoch.
    #[must_use]
    pub fn steps_per_epoch(&self) -> usize {
        self.batches.steps_per_epoch()
    }

    /// The rows that were kept of the trace.
    #[must_use]
    pub fn curve(&self) -> &Curve {
        &self.curve
    }

    /// What the audit has seen, if there is one.
    #[must_use]
    pub fn tally(&self) -> Option<&Tally> {
        self.audit.as_ref().map(|audit| &audit.tally)
    }

    /// The law of the scheme as a formula, or why it has none.
    #[must_use]
    pub fn law(&self) -> &'static str {
        Law::of(&self.options.settings, self.data.loss()).formula()
    }

    /// True if the scheme has a law.
    #[must_use]
    pub fn has_law(&self) -> bool {
        Law::of(&self.options.settings, self.data.loss()).binds()
    }

    /// The parameters as a safetensors file.
    ///
    /// # Errors
    /// Parameters that are not finite.
    pub fn save(&self) -> Result<Vec<u8>, Error> {
        let mut bytes = vec![0; weights::file_len(&self.network)];
        let len = weights::write(&self.network, &self.weights, &mut bytes)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    /// Takes the parameters, and the output scale, from a safetensors file: before the first step,
    /// so that the curves belong to one run.
    ///
    /// # Errors
    /// A file of another network, or a run that has begun.
    pub fn load(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if self.steps > 0 {
            return Err(Error::Unsupported("weights are loaded before the first step"));
        }
        let header = Header::parse(bytes)?;
        let network: TwoLayer<f32> = header.network()?;
        if network.with_scale(self.network.scale()) != self.network {
            return Err(Error::Format("the file holds a network of another shape"));
        }
        weights::read(&header, bytes, &mut self.weights)?;
        self.network = network;
        self.start()
    }

    /// The parameters; see [`TwoLayer`] for their order.
    #[must_use]
    pub fn weights(&self) -> &[f32] {
        &self.weights
    }
}
