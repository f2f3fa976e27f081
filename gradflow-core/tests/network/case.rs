//! Random problems, and the network written out naively to compare with.

use gradflow_core::network::{
    Batch, Inlined, Inputs, Loss, Residual, Samples, Scratch, Targets, TwoLayer, Vectors,
};
use gradflow_core::{Float, Pcg32, Residuals, Stream};

use super::compressed::Compressed;
use proptest::prelude::*;

/// No hidden unit is closer to its kink than this, so that differences do not step over one.
const MARGIN: f64 = 1e-3;

/// What a random problem is made of.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    pub(crate) d: usize,
    pub(crate) m: usize,
    pub(crate) k: usize,
    pub(crate) n: usize,
    pub(crate) output_bias: bool,
    pub(crate) scale: f64,
    pub(crate) seed: u64,
}

/// Shapes on both sides of every border of the kernels: 8 and 96 hidden units, 64 samples.
pub(crate) fn shapes() -> impl Strategy<Value = Shape> {
    let hidden = prop_oneof![
        3 => 1_usize..8,
        6 => 8_usize..41,
        1 => prop::sample::select(vec![64_usize, 88, 96]),
        2 => 97_usize..140,
    ];
    let samples = prop_oneof![3 => 1_usize..12, 2 => 60_usize..70, 2 => 100_usize..151];
    let scale = prop_oneof![Just(1.0), 0.05..2.0_f64, Just(-0.5)];
    // One input and one output have kernels of their own.
    let ends = prop_oneof![1 => Just((1, 1)), 3 => (1_usize..9, 1_usize..6)];
    (ends, hidden, samples, any::<bool>(), scale, any::<u64>()).prop_map(
        |((d, k), m, n, output_bias, scale, seed)| Shape { d, m, k, n, output_bias, scale, seed },
    )
}

/// A problem with all that it borrows.
pub(crate) struct Case<T> {
    pub(crate) network: TwoLayer<T>,
    pub(crate) loss: Loss,
    pub(crate) n: usize,
    pub(crate) w: Vec<T>,
    pub(crate) x: Vec<T>,
    pub(crate) values: Vec<T>,
    pub(crate) labels: Vec<u8>,
    /// The same inputs without zeros.
    compressed: Compressed<T>,
}

impl<T: Float> Case<T> {
    /// Classes need two outputs; elsewhere the shape is taken as it is.
    pub(crate) fn new(shape: &Shape, loss: Loss) -> Self {
        let k = if loss.classifies() { shape.k.max(2) } else { shape.k };
        let network = TwoLayer::new(shape.d, shape.m, k).unwrap();
        let network = network.with_output_bias(shape.output_bias);
        let mut rng = Pcg32::new(shape.seed, Stream::Other);
        let mut case = Self {
            network: network.with_scale(T::from_f64(shape.scale)),
            loss,
            n: shape.n,
            w: normals(&mut rng, network.parameters()),
            x: Vec::new(),
            values: normals(&mut rng, shape.n * k),
            labels: (0..shape.n).map(|_| rng.below(k as u32) as u8).collect(),
            compressed: Compressed::new(&mut rng),
        };
        let layers = case.network.layers_mut(&mut case.w).unwrap();
        let fan_in = (T::from_usize(shape.d + 1).sqrt(), T::from_usize(shape.m).sqrt());
        layers.hidden.iter_mut().for_each(|w| *w /= fan_in.0);
        layers.output.iter_mut().for_each(|w| *w /= fan_in.1);
        for _ in 0..shape.n {
            case.add_inputs(&mut rng);
        }
        case
    }

    /// One more row of inputs, half of them zero, that keeps its distance from all kinks. Some inputs
    /// are zero in all rows, or in all of the first piece of a batch.
    fn add_inputs(&mut self, rng: &mut Pcg32) {
        let sample = self.x.len() / self.network.inputs();
        let (levels, row) = loop {
            let levels: Vec<u8> = (0..self.network.inputs())
                .map(|i| match rng.below(4) {
                    _ if i % 4 == 2 || i % 4 == 3 && sample < 64 => 0,
                    _ if i % 300 < self.network.inputs().min(300) / 300 * 295 => 0, // far apart
                    0 | 1 => 0,
                    _ => 1 + rng.below(255) as u8,
                })
                .collect();
            let mut zero = || [T::ZERO, -T::ZERO][rng.below(2) as usize];
            let value = |&level| if level == 0 { zero() } else { self.compressed.value(level) };
            let row: Vec<T> = levels.iter().map(value).collect();
            let z = hidden_inputs(&self.network, &self.w, &row);
            if z.iter().all(|z| z.abs() > MARGIN) {
                break (levels, row);
            }
        };
        self.compressed.push(&levels, rng);
        self.x.extend(row);
    }

    pub(crate) fn targets(&self) -> Targets<'_, T> {
        if self.loss.classifies() {
            Targets::Labels(&self.labels)
        } else {
            Targets::Values(&self.values)
        }
    }

    pub(crate) fn dense(&self) -> Samples<'_, T> {
        Samples { inputs: Inputs::Dense(&self.x), targets: self.targets() }
    }

    pub(crate) fn sparse(&self) -> Samples<'_, T> {
        let inputs = Inputs::Sparse(self.compressed.sparse(self.network.inputs()));
        Samples { inputs, targets: self.targets() }
    }

    /// Without wide kernels there are no levels, and these are the sparse samples.
    pub(crate) fn levels(&self) -> Samples<'_, T> {
        #[cfg(feature = "wide")]
        let inputs = Inputs::Levels(self.compressed.levels(self.network.inputs()));
        #[cfg(not(feature = "wide"))]
        let inputs = self.sparse().inputs;
        Samples { inputs, targets: self.targets() }
    }

    /// The whole set as one batch of dense samples.
    pub(crate) fn problem<'a>(
        &'a self,
        residual: Residual,
        memory: &'a mut Memory<T>,
    ) -> Box<dyn Residuals<T> + 'a> {
        let batch = Batch::all(self.dense(), self.n);
        boxed(&self.network, batch, self.loss, residual, memory.lend())
    }

    pub(crate) fn memory(&self) -> Memory<T> {
        Memory::new(&self.network, self.n, f64::NAN)
    }

    /// A direction whose largest entries are 1 in size.
    pub(crate) fn direction(&self, seed: u64) -> Vec<T> {
        let mut rng = Pcg32::new(seed, Stream::Other);
        (0..self.w.len()).map(|_| rng.uniform(-T::ONE, T::ONE)).collect()
    }

    /// Outputs of all samples, in f64 and by definition.
    pub(crate) fn outputs(&self, w: &[T]) -> Vec<f64> {
        let rows = self.x.chunks(self.network.inputs());
        rows.flat_map(|x| outputs(&self.network, w, x)).collect()
    }

    /// Entry `j` of the target of sample `i`.
    pub(crate) fn target(&self, i: usize, j: usize) -> f64 {
        if self.loss.classifies() {
            f64::from(u8::from(usize::from(self.labels[i]) == j))
        } else {
            self.values[i * self.network.outputs() + j].to_f64()
        }
    }

    /// The loss by definition.
    pub(crate) fn naive_loss(&self, w: &[T]) -> f64 {
        let k = self.network.outputs();
        let mut sum = 0.0;
        for (i, f) in self.outputs(w).chunks(k).enumerate() {
            let p = softmax(f);
            sum += match self.loss {
                Loss::Mse => squares((0..k).map(|j| f[j] - self.target(i, j))) / k as f64,
                Loss::Brier => squares((0..k).map(|j| p[j] - self.target(i, j))) / k as f64,
                Loss::CrossEntropy => -Float::ln(p[usize::from(self.labels[i])]),
            };
        }
        sum / self.n as f64
    }
}

/// A problem as a trait object: the kernels, which are inlined wherever they are called, are so
/// compiled once for all the tests.
pub(crate) fn boxed<'a, T: Float>(
    network: &TwoLayer<T>,
    batch: Batch<'a, T>,
    loss: Loss,
    residual: Residual,
    scratch: Scratch<'a, T>,
) -> Box<dyn Residuals<T> + 'a> {
    boxed_in(Vectors::default(), network, batch, (loss, residual), scratch)
}

/// The same with kernels for other registers.
pub(crate) fn boxed_in<'a, T: Float>(
    vectors: Vectors,
    network: &TwoLayer<T>,
    batch: Batch<'a, T>,
    (loss, residual): (Loss, Residual),
    scratch: Scratch<'a, T>,
) -> Box<dyn Residuals<T> + 'a> {
    let problem = network.on(batch, loss, scratch).unwrap().called_by(Inlined(vectors));
    Box::new(problem.with_residual(residual).unwrap())
}

fn squares(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.map(|x| x * x).sum()
}

pub(crate) fn normals<T: Float>(rng: &mut Pcg32, len: usize) -> Vec<T> {
    let mut numbers = vec![T::ZERO; len];
    rng.normal(T::ONE, &mut numbers);
    numbers
}

/// `Wᵀ [x; 1]`
fn hidden_inputs<T: Float>(network: &TwoLayer<T>, w: &[T], x: &[T]) -> Vec<f64> {
    let (d, m) = (network.inputs(), network.hidden());
    let w = |i: usize, h: usize| w[i * m + h].to_f64();
    let z = |h| (0..d).map(|i| x[i].to_f64() * w(i, h)).sum::<f64>() + w(d, h);
    (0..m).map(z).collect()
}

/// `s A relu(Wᵀ [x; 1]) + c`
fn outputs<T: Float>(network: &TwoLayer<T>, w: &[T], x: &[T]) -> Vec<f64> {
    let z = hidden_inputs(network, w, x);
    let layers = network.layers(w).unwrap();
    let m = network.hidden();
    let f = |j: usize| {
        let sum: f64 = (0..m).map(|h| layers.output[j * m + h].to_f64() * z[h].max(0.0)).sum();
        let bias = layers.output_bias.get(j).map_or(0.0, |c| c.to_f64());
        network.scale().to_f64() * sum + bias
    };
    (0..network.outputs()).map(f).collect()
}

pub(crate) fn softmax(f: &[f64]) -> Vec<f64> {
    let top = f.iter().fold(f64::NEG_INFINITY, |top, &f| top.max(f));
    let e: Vec<f64> = f.iter().map(|f| Float::exp(f - top)).collect();
    let total: f64 = e.iter().sum();
    e.iter().map(|e| e / total).collect()
}

/// Scratch of exactly the length that is asked for, full of what must not matter.
pub(crate) struct Memory<T> {
    reals: Vec<T>,
    indices: Vec<u32>,
}

impl<T: Float> Memory<T> {
    pub(crate) fn new(network: &TwoLayer<T>, batch: usize, junk: f64) -> Self {
        let len = network.residual_scratch_len(batch);
        Self { reals: vec![T::from_f64(junk); len.reals], indices: vec![u32::MAX; len.indices] }
    }

    pub(crate) fn lend(&mut self) -> Scratch<'_, T> {
        Scratch { reals: &mut self.reals, indices: &mut self.indices }
    }
}

/// `d/dt f(w + t v)` at `t = 0` by central differences of fourth order: at this step both the
/// truncation and the rounding are near 1e-10 of `f`.
pub(crate) fn difference(w: &[f64], v: &[f64], mut f: impl FnMut(&[f64]) -> Vec<f64>) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let mut at = |t: f64| {
        let moved: Vec<f64> = w.iter().zip(v).map(|(w, v)| w + t * v).collect();
        f(&moved)
    };
    let [far_below, below, above, far_above] = [-2.0, -1.0, 1.0, 2.0].map(|t| at(t * STEP));
    let entry =
        |i: usize| (8.0 * (above[i] - below[i]) - (far_above[i] - far_below[i])) / (12.0 * STEP);
    (0..above.len()).map(entry).collect()
}

/// Fails unless each entry agrees within `tolerance · (1 + size)`, where `size` is the largest.
#[track_caller]
pub(crate) fn assert_close(got: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    let size = expected.iter().fold(1.0, |top: f64, x| top.max(x.abs()));
    for (i, (&got, &expected)) in got.iter().zip(expected).enumerate() {
        let error = (got - expected).abs();
        assert!(
            error <= tolerance * size,
            "entry {i} is {got}, expected {expected}: off by {error:e}"
        );
    }
}
