//! Inputs without zeros, in each way to store them.

#[cfg(feature = "wide")]
use gradflow_core::Error;
#[cfg(feature = "wide")]
use gradflow_core::network::{Batch, Inputs, LevelRows, LevelSlices, Loss, Residual, Samples};
use gradflow_core::network::{SparseRows, SparseSlices};
use gradflow_core::{Float, Pcg32};

use super::case::normals;
#[cfg(feature = "wide")]
use super::case::{Case, Shape};

/// Rows whose inputs are entries of a table.
pub(crate) struct Compressed<T> {
    /// The first is 0.
    table: [T; 256],
    starts: Vec<u32>,
    columns: Vec<u16>,
    values: Vec<T>,
    level_starts: Vec<u32>,
    level_entries: Vec<[u8; 2]>,
}

impl<T: Float> Compressed<T> {
    pub(crate) fn new(rng: &mut Pcg32) -> Self {
        let mut table = [T::ZERO; 256];
        table[1..].copy_from_slice(&normals(rng, 255));
        Self {
            table,
            starts: vec![0],
            columns: Vec::new(),
            values: Vec::new(),
            level_starts: vec![0],
            level_entries: Vec::new(),
        }
    }

    pub(crate) fn value(&self, level: u8) -> T {
        self.table[usize::from(level)]
    }

    /// One more row. Some zeros are stored as levels, but only of inputs that are not always zero.
    pub(crate) fn push(&mut self, levels: &[u8], rng: &mut Pcg32) {
        let mut last = 0;
        for (i, &level) in levels.iter().enumerate() {
            if level > 0 {
                self.columns.push(i as u16);
                self.values.push(self.value(level));
            }
            if level > 0 || i % 4 < 2 && rng.below(8) == 0 {
                while i - last > 255 {
                    self.level_entries.push([255, 0]);
                    last += 255;
                }
                self.level_entries.push([(i - last) as u8, level]);
                last = i;
            }
        }
        self.starts.push(self.columns.len() as u32);
        self.level_starts.push(self.level_entries.len() as u32);
    }

    pub(crate) fn sparse(&self, inputs: usize) -> SparseSlices<'_, T> {
        SparseRows::new(inputs, &*self.starts, &*self.columns, &*self.values).unwrap()
    }

    #[cfg(feature = "wide")]
    pub(crate) fn levels(&self, inputs: usize) -> LevelSlices<'_, T> {
        LevelRows::new(inputs, &*self.level_starts, &*self.level_entries, &self.table).unwrap()
    }
}

#[cfg(feature = "wide")]
#[test]
fn rows_of_levels_that_no_kernel_can_read_are_refused() {
    let table: [f64; 256] = core::array::from_fn(|level| level as f64);
    let rows = |starts: &[u32], entries: &[[u8; 2]]| {
        LevelRows::new(300, starts, entries, &table).map(|rows| rows.len())
    };
    assert_eq!(rows(&[0, 2, 2, 3], &[[0, 9], [1, 0], [255, 255]]), Ok(3));
    assert_eq!((rows(&[], &[]), rows(&[0], &[]), rows(&[0, 0], &[])), (Ok(0), Ok(0), Ok(1)));
    let one = LevelRows::new(300, &[0, 2][..], &[[255, 0], [44, 7]][..], &table).unwrap();
    assert!(one.row(0).terms().eq([(255, 0.0), (299, 7.0)]));
    assert_eq!([one.row(1), one.row(usize::MAX)].map(|row| row.entries().len()), [0, 0]);
    let refused = |starts: &[u32], entries: &[[u8; 2]]| {
        let error = rows(starts, entries).unwrap_err();
        assert!(matches!(error, Error::Unsupported(_)), "{starts:?} {entries:?}: {error}");
    };
    for starts in [&[2, 0][..], &[0, 2, 1], &[0, 1, 3], &[0, u32::MAX]] {
        refused(starts, &[[1, 1], [1, 1]]);
    }
    for entries in [[[1, 1], [0, 1]], [[255, 0], [45, 1]], [[255, 1], [255, 1]]] {
        refused(&[0, 2], &entries);
    }

    let shape = Shape { d: 3, m: 10, k: 2, n: 5, output_bias: true, scale: 0.5, seed: 1 };
    let case = Case::<f64>::new(&shape, Loss::Mse);
    let mut memory = case.memory();
    let empty = LevelRows::new(shape.d + 1, &[0, 0][..], &[][..], &table).unwrap();
    let other = Samples { inputs: Inputs::Levels(empty), ..case.dense() };
    let refused = case.network.on(Batch::all(other, 1), Loss::Mse, memory.lend()).err().unwrap();
    assert!(refused.to_string().contains("as many entries"), "{refused}");
}

/// Of what rows of many inputs add up to in lanes.
#[cfg(feature = "wide")]
#[test]
fn rows_of_levels_have_the_cancellation_of_sparse_rows() {
    let shape = Shape { d: 40, m: 7, k: 3, n: 9, output_bias: true, scale: 0.5, seed: 1 };
    let case = Case::<f32>::new(&shape, Loss::CrossEntropy);
    let [sparse, levels] = [case.sparse(), case.levels()].map(|samples| {
        let mut memory = case.memory();
        let batch = Batch::all(samples, shape.n);
        let residual = Residual::default_for(case.loss);
        let mut problem =
            super::case::boxed(&case.network, batch, case.loss, residual, memory.lend());
        problem.linearise(&case.w, &mut vec![0.0; shape.n * shape.k]).unwrap();
        problem.cancellation(&case.w).unwrap().map(|sums| sums.map(f32::to_bits))
    });
    assert!(sparse.is_some() && sparse == levels, "{sparse:?} {levels:?}");
}
