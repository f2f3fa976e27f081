//! The samples that are trained on.

use super::case::World;
use super::{Lent, SEED};
use crate::error::Error;
use crate::float::Float;
use crate::network::{Inputs, Samples, SparseRows, Targets};
use crate::random::{Pcg32, Stream};
use crate::tasks::Task;

/// The samples of a world.
pub(super) fn samples<'a, T: Float>(
    world: World,
    memory: &mut Lent<'a, T>,
) -> Result<Samples<'a, T>, Error> {
    match world.inputs() {
        1 => of_task(Task::Gaussian, world, memory),
        2 => of_task(Task::Gaussian10, world, memory),
        _ => classes(world, memory),
    }
}

fn of_task<'a, T: Float>(
    task: Task,
    world: World,
    memory: &mut Lent<'a, T>,
) -> Result<Samples<'a, T>, Error> {
    let (len, _) = world.samples();
    let x = memory.reals.take(len * task.inputs());
    let y = memory.reals.take(len);
    task.draw_inputs(&mut Pcg32::new(SEED, Stream::Data), x);
    task.draw_targets(T::from_f64(0.05), &mut Pcg32::new(SEED, Stream::Noise), x, y)?;
    Ok(Samples { inputs: Inputs::Dense(x), targets: Targets::Values(y) })
}

/// Rows of which two entries in three are zero, and classes by chance.
fn classes<'a, T: Float>(world: World, memory: &mut Lent<'a, T>) -> Result<Samples<'a, T>, Error> {
    let (len, _) = world.samples();
    let mut rng = Pcg32::new(SEED, Stream::Data);
    let starts = memory.indices.take(len + 1);
    let columns = core::mem::take(&mut memory.columns);
    let values = memory.reals.take(len * world.inputs());
    let labels = core::mem::take(&mut memory.labels);
    let mut filled = 0;
    for (row, start) in starts.iter_mut().enumerate() {
        *start = filled as u32;
        for column in 0..world.inputs() {
            if row < len && rng.below(3) == 0 {
                let place = columns.get_mut(filled).zip(values.get_mut(filled));
                if let Some((place, value)) = place {
                    *place = column as u16;
                    *value = rng.uniform(T::ZERO, T::ONE);
                    filled += 1;
                }
            }
        }
    }
    for label in labels.iter_mut() {
        *label = rng.below(world.outputs() as u32) as u8;
    }
    let columns = columns.get(..filled).unwrap_or_default();
    let values = values.get(..filled).unwrap_or_default();
    let rows = SparseRows::new(world.inputs(), &*starts, columns, values)?;
    Ok(Samples { inputs: Inputs::Sparse(rows), targets: Targets::Labels(labels) })
}
