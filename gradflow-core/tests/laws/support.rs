//! Random networks, batches and settings, and the run that the audit watches.

use gradflow_core::audit::{Audit, Law, Tally};
use gradflow_core::network::{
    Batch, Init, Inputs, Loss, Residual, Samples, Scratch, Targets, TwoLayer,
};
use gradflow_core::scheme::{AnyScheme, Scheme, Settings, Shape, Step};
use gradflow_core::{Error, Float, Pcg32, Residuals, Stream};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

/// Checks a property on random cases: so many, unless `PROPTEST_CASES` says otherwise.
pub(crate) fn check<C: std::fmt::Debug + 'static>(
    file: &'static str,
    name: &'static str,
    cases: u32,
    strategy: &BoxedStrategy<C>,
    property: fn(&C) -> Result<(), TestCaseError>,
) {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = ProptestConfig {
        cases: asked.unwrap_or(cases),
        source_file: Some(file),
        test_name: Some(name),
        ..ProptestConfig::default()
    };
    if let Err(failure) = TestRunner::new(config).run(strategy, |case| property(&case)) {
        panic!("{name}: {failure}");
    }
}

/// Makes tests of properties that are generic over the type of numbers, one for each type.
macro_rules! in_both_precisions {
    ($($name:ident($cases:literal, $strategy:expr) => $property:ident;)*) => {
        $(
            mod $name {
                use super::*;

                #[test]
                fn f64() {
                    let (file, name) = (file!(), concat!(stringify!($name), "::f64"));
                    $crate::support::check(file, name, $cases, &$strategy, $property::<f64>);
                }

                #[test]
                fn f32() {
                    let (file, name) = (file!(), concat!(stringify!($name), "::f32"));
                    $crate::support::check(file, name, $cases, &$strategy, $property::<f32>);
                }
            }
        )*
    };
}
pub(crate) use in_both_precisions;

/// 10ˣ for x uniform in the range.
pub(crate) fn log_uniform(exponents: std::ops::Range<f64>) -> BoxedStrategy<f64> {
    exponents.prop_map(|exponent| Float::exp(exponent * std::f64::consts::LN_10)).boxed()
}

/// Δt from 1e-6 to 1e6.
pub(crate) fn any_dt() -> BoxedStrategy<f64> {
    log_uniform(-6.0..6.0)
}

/// λ: 0, or from 1e-3 to 1e3.
pub(crate) fn any_lambda() -> BoxedStrategy<f64> {
    prop_oneof![Just(0.0), log_uniform(-3.0..3.0)].boxed()
}

/// A network, its data and its initial weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    pub(crate) outputs: usize,
    pub(crate) bias: bool,
    pub(crate) ntk: bool,
    pub(crate) samples: usize,
    pub(crate) batch: usize,
    pub(crate) seed: u64,
}

/// Networks of up to 4 inputs, 12 hidden units and 3 outputs on up to 10 samples.
pub(crate) fn any_size() -> BoxedStrategy<Size> {
    (1_usize..5, 1_usize..13, 1_usize..4, any::<[bool; 2]>(), 1_usize..11, any::<u16>())
        .prop_flat_map(|(inputs, hidden, outputs, [bias, ntk], samples, seed)| {
            (1..=samples).prop_map(move |batch| {
                let seed = u64::from(seed);
                Size { inputs, hidden, outputs, bias, ntk, samples, batch, seed }
            })
        })
        .boxed()
}

/// A task: the network of a [`Size`] on random data, with its working memory.
pub(crate) struct World<T> {
    pub(crate) network: TwoLayer<T>,
    pub(crate) size: Size,
    pub(crate) loss: Loss,
    pub(crate) residual: Residual,
    inputs: Vec<T>,
    values: Vec<T>,
    labels: Vec<u8>,
    reals: Vec<T>,
    indices: Vec<u32>,
    rng: Pcg32,
}

impl<T: Float> World<T> {
    /// The world of a size, for a loss that is trained with a residual; classes are two or more.
    pub(crate) fn new(size: Size, loss: Loss, residual: Residual) -> Self {
        let outputs = if loss.classifies() { size.outputs.max(2) } else { size.outputs };
        let size = Size { outputs, ..size };
        let network = TwoLayer::new(size.inputs, size.hidden, size.outputs).unwrap();
        let network = init(size).scale(network.with_output_bias(size.bias));
        let mut rng = Pcg32::new(size.seed, Stream::Data);
        let draw = |len: usize, rng: &mut Pcg32| {
            let mut values = vec![T::ZERO; len];
            rng.normal(T::ONE, &mut values);
            values
        };
        let inputs = draw(size.samples * size.inputs, &mut rng);
        let values = draw(size.samples * size.outputs, &mut rng);
        let labels = (0..size.samples).map(|_| rng.below(size.outputs as u32) as u8).collect();
        let scratch = network.residual_scratch_len(size.batch);
        Self {
            network,
            size,
            loss,
            residual,
            inputs,
            values,
            labels,
            reals: vec![T::ZERO; scratch.reals],
            indices: vec![0; scratch.indices],
            rng,
        }
    }

    /// The initial weights.
    pub(crate) fn weights(&self) -> Vec<T> {
        let mut w = vec![T::ZERO; self.network.parameters()];
        init(self.size).draw(&self.network, self.size.seed, &mut w).unwrap();
        w
    }

    /// A random batch.
    pub(crate) fn draw_batch(&mut self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..self.size.samples as u32).collect();
        self.rng.shuffle(&mut order);
        order.truncate(self.size.batch);
        order
    }

    /// The task on a batch. Its type is forgotten here and nowhere else, so that the network's
    /// kernels are compiled once.
    #[inline(never)]
    pub(crate) fn on<'a>(&'a mut self, batch: &'a [u32]) -> Box<dyn Residuals<T> + 'a> {
        let targets = if self.loss.classifies() {
            Targets::Labels(&self.labels)
        } else {
            Targets::Values(&self.values)
        };
        let samples = Samples { inputs: Inputs::Dense(&self.inputs), targets };
        let scratch = Scratch { reals: &mut self.reals, indices: &mut self.indices };
        let problem = self.network.on(Batch::of(samples, batch), self.loss, scratch).unwrap();
        Box::new(problem.with_residual(self.residual).unwrap())
    }

    /// The sizes that a scheme asks for.
    pub(crate) fn shape(&self) -> Shape {
        Shape {
            parameters: self.network.parameters(),
            outputs: self.network.outputs(),
            batch: self.size.batch,
            samples: self.size.samples,
        }
    }
}

fn init(size: Size) -> Init {
    if size.ntk { Init::Ntk } else { Init::Kaiming }
}

/// One step of any scheme, compiled once: the schemes ask to be inlined where they are called.
#[inline(never)]
pub(crate) fn step<T: Float>(
    scheme: &mut AnyScheme<T, Vec<T>>,
    w: &mut [T],
    problem: &mut dyn Residuals<T>,
) -> Result<Step<T>, Error> {
    scheme.step(w, problem)
}

/// What became of an audited run.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) tally: Tally,
    pub(crate) steps: u64,
    pub(crate) error: Option<Error>,
}

/// Trains with these settings on random batches, watched by the audit.
pub(crate) fn audited_run<T: Float>(
    settings: &Settings<T>,
    task: Loss,
    size: Size,
    steps: u64,
) -> Outcome {
    let residual = settings.residual(task).unwrap();
    let mut world = World::<T>::new(size, settings.trained_loss(task), residual);
    let mut w = world.weights();
    let shape = world.shape();
    let mut scheme = AnyScheme::new(settings, task, shape, |len| vec![T::ZERO; len]).unwrap();
    let law = Law::of(settings, task);
    let entries = shape.batch * shape.outputs;
    let mut audit = Audit::new(law, vec![T::ZERO; law.buffer_len(w.len(), entries)]);
    for n in 0..steps {
        let batch = world.draw_batch();
        let problem = &mut *world.on(&batch);
        audit.before(&w).unwrap();
        match step(&mut scheme, &mut w, problem) {
            Ok(step) => audit.after(n, &w, &step, problem, &scheme).unwrap(),
            Err(error) => return Outcome { tally: audit.tally, steps: n, error: Some(error) },
        };
    }
    Outcome { tally: audit.tally, steps, error: None }
}
