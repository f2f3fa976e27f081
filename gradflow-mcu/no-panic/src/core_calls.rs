//! The public functions of the core.

use gradflow_core::audit::{Audit, Law};
use gradflow_core::linalg::{self, CgBuffers, Packed};
use gradflow_core::network::{
    Batch, GramForm, Init, Inputs, Loss, Samples, Scratch, SparseRows, Targets, TwoLayer,
};
use gradflow_core::scheme::{
    AnyScheme, At, Control, Coupling, Diagonal, Flow, Memory, Method, OperatorChoice,
    ResidualChoice, Sav, Scheme as _, Settings, Shape, SolverChoice,
};
use gradflow_core::tasks::Task;
use gradflow_core::training::{Batches, Schedule};
use gradflow_core::weights::{self, Header};
use gradflow_core::{Digest, Error, Float, Objective, Pcg32, Residuals, Stream, scheme::Rule};

use crate::any;

/// Entries of each buffer; what is used of them is not known.
const LEN: usize = 64;

/// A buffer of unknown contents and an unknown length up to [`LEN`].
fn buffer<T: Default>(home: &mut [T; LEN]) -> &mut [T] {
    any(home).get_mut(..any(LEN)).unwrap_or_default()
}

fn home<T: Default + Copy>() -> [T; LEN] {
    any([T::default(); LEN])
}

/// Calls everything with numbers of type `T`. What is refused is refused.
pub(crate) fn all<T: Float>() {
    let _ = sampling::<T>();
    let _ = algebra::<T>();
    let _ = schemes::<T>();
    let _ = files::<T>();
    let _ = rules::<T>();
}

fn network<T: Float>() -> Result<TwoLayer<T>, Error> {
    let network = TwoLayer::new(any(1), any(3), any(1))?;
    Ok(any(Init::Ntk).scale(network.with_output_bias(any(true))))
}

fn sampling<T: Float>() -> Result<(), Error> {
    let mut rng = Pcg32::from_parts(any(Pcg32::new(any(0), any(Stream::Data))).to_parts());
    let (mut x, mut y, mut order) = (home::<T>(), home::<T>(), home::<u32>());
    rng.normal(any(T::ONE), buffer(&mut x));
    rng.shuffle(buffer(&mut order));
    any(rng.below(any(1)));
    any(rng.uniform(any(T::ZERO), any(T::ONE)));
    let task = any(Task::from_name(any("gaussian"))).unwrap_or(any(Task::Gaussian));
    task.draw_inputs(&mut rng, buffer(&mut x));
    any(task.name());
    any(task.grid_point::<T>(any(0), any(1)));
    any(task.target(buffer(&mut x)));
    let mut batches = Batches::new(buffer(&mut order), any(1), any(0))?;
    any(batches.next_batch());
    any((batches.steps_per_epoch(), batches.epoch(), batches.order().first()));
    let position = batches.position();
    batches.resume(buffer(&mut home()), any(position))?;
    any(any(Schedule::Cosine).at(any(T::ONE), any(0), any(1)));
    task.draw_targets(any(T::ZERO), &mut rng, buffer(&mut x), buffer(&mut y))
}

fn algebra<T: Float>() -> Result<(), Error> {
    let (mut a, mut b, mut c) = (home::<T>(), home::<T>(), home::<T>());
    any(linalg::dot(buffer(&mut a), buffer(&mut b)));
    any(linalg::norm_sq(buffer(&mut a)));
    any(linalg::sum_of(buffer(&mut a), |x| x));
    any(linalg::all_finite(buffer(&mut a)));
    linalg::axpy(any(T::ONE), buffer(&mut a), buffer(&mut b));
    linalg::add_rows(buffer(&mut a), any([(0, T::ONE)]), buffer(&mut b));
    let mut packed = Packed::new(any(3), buffer(&mut a))?;
    packed.rows_mut().for_each(|row| row.fill(any(T::ONE)));
    packed.factorise()?;
    packed.solve(buffer(&mut b))?;
    let (mut d, mut e) = (home::<T>(), home::<T>());
    let mut work =
        CgBuffers { residual: buffer(&mut c), direction: buffer(&mut d), image: buffer(&mut e) };
    let multiply = |v: &[T], out: &mut [T]| {
        linalg::axpy(any(T::ONE), v, out);
        any(Ok(()))
    };
    let stop = |_: &[T], _| any(false);
    let (b, x) = (buffer(&mut b), buffer(&mut a));
    linalg::conjugate_gradients(b, x, &mut work, any(9), multiply, stop).map(drop)
}

/// Settings that may be any.
fn settings<T: Float>() -> Settings<T> {
    let mut settings = Settings::new(any(Method::from_name(any("sav"))).unwrap_or(Method::Sgd));
    settings.relaxed = any(false);
    settings.coupling = any(Some(Coupling::Ratio));
    settings.residual = any(Some(ResidualChoice::Ggn));
    settings.memory = any(Some(Memory::Fresh));
    settings.control = any(Control::Fixed);
    settings.operator = any(OperatorChoice::Scalar);
    settings.solver = any(Some(SolverChoice::Cholesky));
    settings.dt = any(T::ONE);
    any(settings)
}

fn schemes<T: Float>() -> Result<(), Error> {
    let network = network::<T>()?;
    let mut w = home();
    let w = buffer(&mut w);
    any(Init::Kaiming).draw(&network, any(0), w)?;
    let settings = settings::<T>();
    let loss = any(Loss::Mse);
    let shape = any(Shape { parameters: 12, outputs: 1, batch: 2, samples: 2 });
    let mut scheme = AnyScheme::new(&settings, loss, shape, |_| home::<T>())?;
    let (mut x, mut y, mut labels) = (home::<T>(), home::<T>(), home::<u8>());
    let (mut starts, mut columns, mut order) = (home::<u32>(), home::<u16>(), home::<u32>());
    let mut values = home::<T>();
    let inputs = if any(true) {
        Inputs::Dense(buffer(&mut x))
    } else {
        let rows: (&[_], &[_], &[_]) =
            (buffer(&mut starts), buffer(&mut columns), buffer(&mut values));
        Inputs::Sparse(SparseRows::new(any(2), rows.0, rows.1, rows.2)?)
    };
    let targets = if any(true) {
        Targets::Values(buffer(&mut y))
    } else {
        Targets::Labels(buffer(&mut labels))
    };
    let samples = Samples { inputs, targets };
    let order = buffer(&mut order);
    let batch = if any(true) { Batch::all(samples, any(2)) } else { Batch::of(samples, order) };
    let (mut reals, mut indices, mut out) = (home::<T>(), home::<u32>(), home::<T>());
    let mut scratch = Scratch { reals: buffer(&mut reals), indices: buffer(&mut indices) };
    network.predict(w, batch, &mut scratch, buffer(&mut out))?;
    any(network.evaluate(w, samples, order, loss, &mut scratch)?);

    let residual = settings.residual(loss)?;
    let mut problem = network.on(batch, loss, scratch.reborrow())?.with_residual(residual)?;
    let law = Law::of(&settings, loss);
    let mut audit = Audit::new(law, home::<T>());
    scheme.start(any(T::ONE))?;
    audit.before(w)?;
    let step = scheme.step(w, &mut problem)?;
    audit.after(any(0), w, &step, &mut problem, &scheme)?;
    any(audit.tally.violations);
    products(&mut problem, w)?;
    let line = network.on_line(batch, scratch.reborrow())?;
    let mut line = line.with_gram_form(any(GramForm::Closed));
    line.predict(w, buffer(&mut out))?;
    scheme.step(w, &mut line)?;
    products(&mut line, w)
}

fn products<T: Float>(problem: &mut impl Residuals<T>, w: &mut [T]) -> Result<(), Error> {
    let (mut q, mut gram, mut v) = (home(), home(), home());
    any(problem.loss(w)?);
    any(problem.gradient(w, buffer(&mut v))?);
    problem.linearise(w, buffer(&mut q))?;
    problem.gram(w, buffer(&mut gram))?;
    problem.push_forward(w, buffer(&mut v), buffer(&mut q))?;
    problem.pull_back(w, buffer(&mut q), buffer(&mut v))?;
    any(problem.cancellation(w)?);
    any(problem.gradient_norm_sq(w, buffer(&mut v))?);
    problem.descend(w, buffer(&mut q), any(T::ONE), buffer(&mut v)).map(drop)
}

fn files<T: Float>() -> Result<(), Error> {
    let network = network::<T>()?;
    let (mut w, mut bytes) = (home(), any([0_u8; 512]));
    let bytes = bytes.get_mut(..any(512)).unwrap_or_default();
    let len = weights::write(&network, buffer(&mut w), bytes)?;
    let bytes = bytes.get(..any(len)).unwrap_or_default();
    let header = Header::parse(bytes)?;
    any(header.network::<T>()?);
    weights::read(&header, bytes, buffer(&mut w))?;
    any(Digest::new().update(buffer(&mut w))?.finish());
    Ok(())
}

/// A rule by itself, and a driver with an operator that no name leads to.
fn rules<T: Float>() -> Result<(), Error> {
    struct Bowl;
    impl<T: Float> Objective<T> for Bowl {
        fn parameters(&self) -> usize {
            any(1)
        }

        fn loss(&mut self, w: &[T]) -> Result<T, Error> {
            Ok(any(w.first().copied().unwrap_or_default()))
        }

        fn gradient(&mut self, w: &[T], gradient: &mut [T]) -> Result<T, Error> {
            gradient.fill(any(T::ONE));
            self.loss(w)
        }
    }
    let sav = any(Sav { c: T::ONE, coupling: Coupling::Ratio });
    let at = any(At { loss: T::ONE, slope: T::ONE, dt: T::ONE });
    any(sav.advance(sav.define(any(T::ONE))?, &at)?);
    let operator = Diagonal { entries: home::<T>() };
    let mut flow = Flow::new(sav, operator, any(T::ONE), home::<T>());
    flow.step(buffer(&mut home()), &mut Bowl).map(drop)
}
