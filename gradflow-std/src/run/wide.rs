//! The core's kernels once more, compiled for the widest vectors that this machine has.
//!
//! The code is the core's and so are the bits: no multiply is fused with an add, and every sum
//! keeps its written order. A few calls a batch are dispatched.

use gradflow_core::linalg::Packed;
use gradflow_core::network::{Evaluation, Loss, Problem, Samples, Scratch, TwoLayer};
use gradflow_core::scheme::{AnyScheme, Scheme, Step};
use gradflow_core::{Error, Float, Objective, Residuals};

/// A problem whose kernels are dispatched by what the processor can do.
pub struct Wide<'a, T> {
    problem: Problem<'a, T>,
    avx2: bool,
}

impl<'a, T> Wide<'a, T> {
    /// Uses wide vectors if `simd` allows them and the processor has them.
    pub fn new(problem: Problem<'a, T>, simd: bool) -> Self {
        Self { problem, avx2: simd && has_avx2() }
    }
}

#[cfg(target_arch = "x86_64")]
fn has_avx2() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
}

#[cfg(not(target_arch = "x86_64"))]
const fn has_avx2() -> bool {
    false
}

/// A method that runs as it is, or inlined into a function that may use AVX2.
macro_rules! dispatched {
    ($(fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) -> $result:ty;)+) => {
        $(
            #[inline]
            fn $name(&mut self $(, $arg: $type)*) -> $result {
                #[cfg(target_arch = "x86_64")]
                {
                    #[target_feature(enable = "avx2")]
                    fn wide<T: Float>(problem: &mut Problem<'_, T> $(, $arg: $type)*) -> $result {
                        problem.$name($($arg),*)
                    }
                    if self.avx2 {
                        // SAFETY: `avx2` is set only where the processor reports the feature.
                        #[allow(unsafe_code)]
                        return unsafe { wide(&mut self.problem $(, $arg)*) };
                    }
                }
                self.problem.$name($($arg),*)
            }
        )+
    };
}

impl<T: Float> Objective<T> for Wide<'_, T> {
    fn parameters(&self) -> usize {
        self.problem.parameters()
    }

    dispatched! {
        fn loss(&mut self, w: &[T]) -> Result<T, Error>;
        fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error>;
    }
}

impl<T: Float> Residuals<T> for Wide<'_, T> {
    fn outputs(&self) -> usize {
        self.problem.outputs()
    }

    fn residual_len(&self) -> usize {
        self.problem.residual_len()
    }

    fn energy_is_loss(&self) -> bool {
        self.problem.energy_is_loss()
    }

    fn unit(&self) -> T {
        self.problem.unit()
    }

    fn sample(&self, i: usize) -> usize {
        self.problem.sample(i)
    }

    dispatched! {
        fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error>;
        fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error>;
        fn cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error>;
        fn solve(&mut self, system: &mut Packed<'_, T>, x: &mut [T]) -> Result<(), Error>;
        fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error>;
        fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error>;
        fn gradient_norm_sq(&mut self, w: &[T], buffer: &mut [T]) -> Result<T, Error>;
        fn descend(&mut self, w: &mut [T], u: &[T], length: T, buffer: &mut [T]) -> Result<T, Error>;
    }
}

/// [`Scheme::step`], with the scheme's own sums and updates dispatched likewise.
pub fn step<'p, T: Float, B: AsRef<[T]> + AsMut<[T]>>(
    scheme: &mut AnyScheme<T, B>,
    w: &mut [T],
    problem: &mut (dyn Residuals<T> + 'p),
    simd: bool,
) -> Result<Step<T>, Error> {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide<'p, T: Float, B: AsRef<[T]> + AsMut<[T]>>(
            scheme: &mut AnyScheme<T, B>,
            w: &mut [T],
            problem: &mut (dyn Residuals<T> + 'p),
        ) -> Result<Step<T>, Error> {
            scheme.step(w, problem)
        }
        if simd && has_avx2() {
            // SAFETY: the processor reports the feature.
            #[allow(unsafe_code)]
            return unsafe { wide(scheme, w, problem) };
        }
    }
    let _ = simd;
    scheme.step(w, problem)
}

/// [`TwoLayer::evaluate`], dispatched likewise.
pub fn evaluate<T: Float>(
    network: &TwoLayer<T>,
    w: &[T],
    samples: Samples<'_, T>,
    order: &[u32],
    loss: Loss,
    scratch: &mut Scratch<'_, T>,
    simd: bool,
) -> Result<Evaluation, Error> {
    #[cfg(target_arch = "x86_64")]
    {
        #[target_feature(enable = "avx2")]
        fn wide<T: Float>(
            network: &TwoLayer<T>,
            w: &[T],
            samples: Samples<'_, T>,
            order: &[u32],
            loss: Loss,
            scratch: &mut Scratch<'_, T>,
        ) -> Result<Evaluation, Error> {
            network.evaluate(w, samples, order, loss, scratch)
        }
        if simd && has_avx2() {
            // SAFETY: the processor reports the feature.
            #[allow(unsafe_code)]
            return unsafe { wide(network, w, samples, order, loss, scratch) };
        }
    }
    let _ = simd;
    network.evaluate(w, samples, order, loss, scratch)
}
