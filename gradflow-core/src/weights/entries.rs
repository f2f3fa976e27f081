//! What a header's JSON says: up to three tensors and the output scale.

use super::decimal;
use super::header::Dtype;
use super::json::{LIST, OBJECT, Scanner};
use crate::error::Error;

pub(super) const fn wrong<V>(what: &'static str) -> Result<V, Error> {
    Err(Error::Format(what))
}

/// One tensor's entry of the header; dimensions beyond its rank are 0.
#[derive(Clone, Copy)]
pub(super) struct Tensor {
    pub(super) dtype: Dtype,
    pub(super) rank: usize,
    pub(super) shape: [usize; 2],
    pub(super) start: usize,
    end: usize,
}

/// What the header holds.
#[derive(Default)]
pub(super) struct Entries {
    /// `hidden`, `output` and `output_bias`.
    pub(super) tensors: [Option<Tensor>; 3],
    /// `output_scale`.
    pub(super) scale: Option<f64>,
}

impl Entries {
    pub(super) fn read(text: &[u8]) -> Result<Self, Error> {
        let mut this = Self::default();
        let mut metadata = None;
        let mut scanner = Scanner::new(text);
        scanner.items(OBJECT, |scanner| {
            let [hidden, output, output_bias] = &mut this.tensors;
            let place = match scanner.key()? {
                b"hidden" => hidden,
                b"output" => output,
                b"output_bias" => output_bias,
                b"__metadata__" => {
                    this.scale = read_scale(scanner)?;
                    return once(&mut metadata, ());
                }
                _ => return wrong("a tensor is none of hidden, output and output_bias"),
            };
            once(place, Tensor::read(scanner)?)
        })?;
        scanner.finish()?;
        Ok(this)
    }
}

/// Fills a place that must be empty.
fn once<V>(place: &mut Option<V>, value: V) -> Result<(), Error> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => wrong("a name occurs twice in the header"),
    }
}

/// `output_scale`, if the metadata has it.
fn read_scale(scanner: &mut Scanner<'_>) -> Result<Option<f64>, Error> {
    let mut scale = None;
    scanner.items(OBJECT, |scanner| {
        let key = scanner.key()?;
        let value = scanner.string()?;
        if key != b"output_scale" {
            return Ok(());
        }
        match decimal::parse(value) {
            Some(value) => once(&mut scale, value),
            None => wrong("output_scale must be a decimal number, finite and not 0"),
        }
    })?;
    Ok(scale)
}

impl Tensor {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, Error> {
        let (mut dtype, mut shape, mut range) = (None, None, None);
        scanner.items(OBJECT, |scanner| match scanner.key()? {
            b"dtype" => match scanner.string()? {
                b"F32" => once(&mut dtype, Dtype::F32),
                b"F64" => once(&mut dtype, Dtype::F64),
                _ => wrong("the type of a tensor's numbers must be F32 or F64"),
            },
            b"shape" => once(&mut shape, read_list(scanner)?),
            b"data_offsets" => once(&mut range, read_list(scanner)?),
            _ => wrong("a tensor has an entry other than dtype, shape and data_offsets"),
        })?;
        match (dtype, shape, range) {
            (Some(dtype), Some((rank, shape)), Some((2, [start, end]))) => {
                Ok(Self { dtype, rank, shape, start, end })
            }
            _ => wrong("a tensor needs dtype, shape and data_offsets (start and end)"),
        }
    }
}

/// At most two natural numbers, and how many there are.
fn read_list(scanner: &mut Scanner<'_>) -> Result<(usize, [usize; 2]), Error> {
    let mut numbers = [0; 2];
    let mut places = numbers.iter_mut();
    scanner.items(LIST, |scanner| {
        let number = scanner.natural()?;
        match places.next() {
            Some(place) => *place = number,
            None => return wrong("a tensor has more than two dimensions or offsets"),
        }
        Ok(())
    })?;
    Ok((2 - places.len(), numbers))
}

/// Tensors of one type must fit their shapes and tile the data.
pub(super) fn check_ranges(tensors: [Option<Tensor>; 3], len: usize) -> Result<(), Error> {
    let mut places = tensors.iter().flatten();
    let mut covered = 0;
    while let Some(tensor) = places.next() {
        let (start, end) = (tensor.start, tensor.end);
        let [rows, columns] = tensor.shape;
        let entries = rows.checked_mul(if tensor.rank == 2 { columns } else { 1 });
        let bytes = entries.and_then(|entries| entries.checked_mul(tensor.dtype.size()));
        if bytes.is_none() || end.checked_sub(start) != bytes {
            return wrong("a tensor's data_offsets do not fit its shape");
        }
        if end > len {
            return wrong("the data is shorter than the header says: the file's end is missing");
        }
        for other in places.clone() {
            if other.dtype != tensor.dtype {
                return wrong("the tensors' numbers differ in type");
            }
            if start < other.end && other.start < end {
                return wrong("the data of two tensors overlap");
            }
        }
        covered += end - start;
    }
    if covered != len {
        return wrong("some of the data belongs to no tensor");
    }
    Ok(())
}
