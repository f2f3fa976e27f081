//! Full pieces of a batch, and rows of whole blocks: they have kernels of their own, and the reference
//! programme, which has to fit a board, has no room for them.

use gradflow_core::network::{Batch, Init, Inputs, LevelRows, Loss, Samples, Scratch, Targets};
use gradflow_core::network::{Problem, TwoLayer};
use gradflow_core::{Error, Float, Objective, Pcg32, Residuals, Stream};
use gradflow_std::run::{Registers, Wide};

/// Inputs, an odd number of them.
const D: usize = 19;

/// Computes losses, gradients and Jacobian products of sparse batches in registers of each width.
///
/// # Errors
/// The shape for which one of them has other bits.
pub(crate) fn agree<T: Float>() -> Result<(), String> {
    for [m, k, n] in [[100, 10, 64], [112, 10, 63], [97, 17, 65], [112, 64, 64], [9, 6, 7]] {
        let [plain, avx2, avx512] = [Registers::Baseline, Registers::Avx2, Registers::Avx512]
            .map(|registers| bits::<T>([m, k, n], registers).map_err(|error| error.to_string()));
        let plain = plain?;
        if avx2? != plain || avx512? != plain {
            return Err(format!(
                "{m} hidden units, {k} outputs and {n} samples: widths compute different bits"
            ));
        }
    }
    Ok(())
}

fn bits<T: Float>([m, k, n]: [usize; 3], registers: Registers) -> Result<Vec<u64>, Error> {
    let network = TwoLayer::<T>::new(D, m, k)?;
    let mut rng = Pcg32::new(1, Stream::Other);
    let table: [T; 256] = std::array::from_fn(|_| rng.uniform(-T::ONE, T::ONE));
    let (mut starts, mut entries) = (vec![0], vec![]);
    for _ in 0..n {
        let mut last = 0;
        for column in 0..D {
            if rng.below(3) == 0 {
                entries.push([(column - last) as u8, rng.below(256) as u8]);
                last = column;
            }
        }
        starts.push(entries.len() as u32);
    }
    let labels: Vec<u8> = (0..n).map(|_| rng.below(k as u32) as u8).collect();
    let rows = LevelRows::new(D, &*starts, &*entries, &table)?;
    let samples = Samples { inputs: Inputs::Levels(rows), targets: Targets::Labels(&labels) };

    let mut w = vec![T::ZERO; network.parameters()];
    Init::Ntk.draw(&network, 1, &mut w)?;
    let len = network.residual_scratch_len(n);
    let (mut reals, mut indices) = (vec![T::from_f64(f64::NAN); len.reals], vec![0; len.indices]);
    let scratch = Scratch { reals: &mut reals, indices: &mut indices };
    let problem: Problem<'_, T> =
        network.on(Batch::all(samples, n), Loss::CrossEntropy, scratch)?;
    let mut problem = Wide::new(problem, registers);

    let [mut before, mut after, mut pulled] = [(); 3].map(|()| vec![T::ZERO; w.len()]);
    let mut q = vec![T::ZERO; n * k];
    let mut out = vec![problem.loss(&w)?, problem.gradient(&w, &mut before)?];
    out.push(problem.linearise(&w, &mut q)?);
    problem.pull_back(&w, &q, &mut pulled)?;
    out.push(problem.gradient(&w, &mut after)?);
    out.push(problem.loss(&w)?);
    let all = [out, before, q, pulled, after].concat();
    Ok(all.into_iter().map(T::to_bits64).collect())
}
