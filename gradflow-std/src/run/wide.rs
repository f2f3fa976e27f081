//! The core's kernels once more, compiled for the widest vectors that this machine has.
//!
//! The code is the core's and so are the bits: no multiply is fused with an add, and every sum
//! keeps its written order. A few calls a batch are dispatched.

use gradflow_core::linalg::Packed;
use gradflow_core::network::{Evaluation, Loss, Problem, Samples, Scratch, TwoLayer};
use gradflow_core::scheme::{AnyScheme, Scheme, Step};
use gradflow_core::{Error, Exact, Float, Objective, Residuals, Support, objective};

use super::apart::Apart;

/// Which registers the kernels are compiled for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Registers {
    /// Those that every processor of this architecture has.
    #[default]
    Baseline,
    /// 256 bits.
    Avx2,
    /// 512 bits, where they are faster.
    Avx512,
}

impl Registers {
    /// The widest that this processor has, up to the ones asked for.
    #[must_use]
    pub fn at_most(self) -> Self {
        self.min(Self::widest())
    }

    #[cfg(target_arch = "x86_64")]
    fn widest() -> Self {
        if !is_x86_feature_detected!("avx2") {
            return Self::Baseline;
        }
        if is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512vl") {
            Self::Avx512
        } else {
            Self::Avx2
        }
    }

    #[cfg(not(target_arch = "x86_64"))]
    const fn widest() -> Self {
        Self::Baseline
    }
}

/// A problem whose kernels are dispatched by what the processor can do.
pub struct Wide<'a, T> {
    problem: Problem<'a, T, Exact, Apart>,
    registers: Registers,
}

impl<'a, T: Float> Wide<'a, T> {
    /// Uses registers up to these, as far as the processor has them.
    #[inline(always)]
    pub fn new(problem: Problem<'a, T>, registers: Registers) -> Self {
        let problem = problem.called_by(Apart::short());
        Self { problem, registers: registers.at_most() }
    }
}

/// Methods that run as they are, or inlined into a function that may use the named features, with
/// kernels that suit them, from the named registers on.
macro_rules! dispatched {
    ($(
        $(#[$registers:ident $features:literal $vectors:ident])+
        fn $name:ident(&mut self $(, $arg:ident: $type:ty)*) -> $result:ty;
    )+) => {
        $(
            fn $name(&mut self $(, $arg: $type)*) -> $result {
                dispatched!(@each self $name ($($arg: $type),*) $result; $($registers $features $vectors)+);
                self.problem.set_caller(Apart::short());
                self.problem.$name($($arg),*)
            }
        )+
    };
    (@each $self:ident $name:ident $args:tt $result:ty;
     $($registers:ident $features:literal $vectors:ident)+) => {
        $(dispatched!(@if $self $registers $features $vectors $name $args $result);)+
    };
    (@if $self:ident $registers:ident $features:literal $vectors:ident
     $name:ident ($($arg:ident: $type:ty),*) $result:ty) => {
        #[cfg(target_arch = "x86_64")]
        {
            #[target_feature(enable = $features)]
            fn wide<T: Float>(
                problem: &mut Problem<'_, T, Exact, Apart>
                $(, $arg: $type)*
            ) -> $result {
                problem.set_caller(Apart::$vectors()); // the compiler leaves out other kernels
                problem.$name($($arg),*)
            }
            if $self.registers >= Registers::$registers {
                // SAFETY: `registers` are only those that the processor reports.
                #[allow(unsafe_code)]
                return unsafe { wide(&mut $self.problem $(, $arg)*) };
            }
        }
    };
}

impl<T: Float> Objective<T> for Wide<'_, T> {
    fn parameters(&self) -> usize {
        self.problem.parameters()
    }

    dispatched! {
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn loss(&mut self, w: &[T]) -> Result<T, Error>;
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn sparse_gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error>;
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn gradient_bound(&mut self, w: &[T], gradient: &[T]) -> T;
    }

    fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
        let loss = self.sparse_gradient(w, gradient)?;
        self.support().clear_outside(gradient);
        Ok(loss)
    }

    fn support(&self) -> Support<'_> {
        self.problem.support()
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
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn linearise(&mut self, w: &[T], q: &mut [T]) -> Result<T, Error>;
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn gram(&mut self, w: &[T], gram: &mut [T]) -> Result<(), Error>;
        #[Avx2 "avx2" long]
        fn cancellation(&mut self, w: &[T]) -> Result<Option<[T; 2]>, Error>;
        #[Avx512 "avx512f,avx512vl" longest]
        #[Avx2 "avx2" long]
        fn solve(&mut self, system: &mut Packed<'_, T>, x: &mut [T]) -> Result<(), Error>;
        #[Avx2 "avx2" long]
        fn push_forward(&mut self, w: &[T], v: &[T], image: &mut [T]) -> Result<(), Error>;
        #[Avx2 "avx2" long]
        fn pull_back(&mut self, w: &[T], u: &[T], out: &mut [T]) -> Result<(), Error>;
    }

    // What a problem has to add to the defaults is small, and compiled but once.
    fn gradient_norm_sq(&mut self, w: &[T], buffer: &mut [T]) -> Result<T, Error> {
        match self.problem.as_line() {
            Some(mut line) => line.gradient_norm_sq(w, buffer),
            None => objective::gradient_norm_sq(self, w, buffer),
        }
    }

    fn descend(&mut self, w: &mut [T], u: &[T], length: T, buffer: &mut [T]) -> Result<T, Error> {
        match self.problem.as_line() {
            Some(mut line) => line.descend(w, u, length, buffer),
            None => objective::descend(self, w, u, length, buffer),
        }
    }
}

/// [`Scheme::step`], with the scheme's own sums and updates dispatched likewise.
pub fn step<'p, T: Float, B: AsRef<[T]> + AsMut<[T]>>(
    scheme: &mut AnyScheme<T, B>,
    w: &mut [T],
    problem: &mut (dyn Residuals<T> + 'p),
    registers: Registers,
) -> Result<Step<T>, Error> {
    macro_rules! compiled_for {
        ($registers:ident $features:literal) => {
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = $features)]
                fn wide<'p, T: Float, B: AsRef<[T]> + AsMut<[T]>>(
                    scheme: &mut AnyScheme<T, B>,
                    w: &mut [T],
                    problem: &mut (dyn Residuals<T> + 'p),
                ) -> Result<Step<T>, Error> {
                    scheme.step(w, problem)
                }
                if registers.at_most() >= Registers::$registers {
                    // SAFETY: the processor reports the features.
                    #[allow(unsafe_code)]
                    return unsafe { wide(scheme, w, problem) };
                }
            }
        };
    }
    compiled_for!(Avx512 "avx512f,avx512vl");
    compiled_for!(Avx2 "avx2");
    let _ = registers;
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
    registers: Registers,
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
        if registers.at_most() >= Registers::Avx2 {
            // SAFETY: the processor reports the feature.
            #[allow(unsafe_code)]
            return unsafe { wide(network, w, samples, order, loss, scratch) };
        }
    }
    let _ = registers;
    network.evaluate(w, samples, order, loss, scratch)
}
