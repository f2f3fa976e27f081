//! The reader: first the header, so that the caller can make room, then the numbers.

use super::entries::{Entries, Tensor, check_ranges, wrong};
use crate::error::{Buffer, Error};
use crate::float::Float;
use crate::network::TwoLayer;

/// Type of a file's numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dtype {
    /// IEEE 754 binary32.
    F32,
    /// IEEE 754 binary64.
    F64,
}

impl Dtype {
    /// Bytes a number.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::F64 => 8,
        }
    }
}

/// What a weights file says about its network, and where in it the numbers are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Header {
    /// Number of inputs d.
    pub inputs: usize,
    /// Number of hidden units m.
    pub hidden: usize,
    /// Number of outputs k.
    pub outputs: usize,
    /// Whether each output has a bias.
    pub output_bias: bool,
    /// Output scale s, finite and not 0.
    pub scale: f64,
    /// Type of the numbers.
    pub dtype: Dtype,
    /// First byte of `hidden`, of `output` and of `output_bias`.
    starts: [usize; 3],
}

impl Header {
    /// Reads and checks the header of a whole file. The numbers are not looked at.
    ///
    /// Keys may come in any order, and metadata other than `output_scale` is passed over. Every
    /// byte of the data must belong to exactly one tensor.
    ///
    /// # Errors
    /// [`Error::Format`] with what is wrong.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let (text, data) = split(bytes)?;
        let entries = Entries::read(text)?;
        let [hidden, output, bias] = entries.tensors;
        let hidden = hidden.ok_or(Error::Format("the tensor hidden is missing"))?;
        let output = output.ok_or(Error::Format("the tensor output is missing"))?;

        let (2, [rows @ (2..), m @ (1..)]) = (hidden.rank, hidden.shape) else {
            return wrong("hidden must have the shape [inputs + 1, hidden units]");
        };
        let (2, [units, k @ (1..)]) = (output.rank, output.shape) else {
            return wrong("output must have the shape [hidden units, outputs]");
        };
        if units != m {
            return wrong("hidden and output differ in their number of hidden units");
        }
        if bias.is_some_and(|bias| (bias.rank, bias.shape) != (1, [k, 0])) {
            return wrong("output_bias must have the shape [outputs]");
        }
        check_ranges([Some(hidden), Some(output), bias], data.len())?;
        let first = bytes.len() - data.len();
        let start = |tensor: Tensor| first + tensor.start;
        Ok(Self {
            inputs: rows - 1,
            hidden: m,
            outputs: k,
            output_bias: bias.is_some(),
            scale: entries.scale.unwrap_or(1.0),
            dtype: hidden.dtype,
            starts: [start(hidden), start(output), bias.map_or(first, start)],
        })
    }

    /// The network that the file belongs to, in a precision of the caller's choice.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] as [`TwoLayer::new`]; [`Error::Format`] if the output scale
    /// overflows in this precision, or vanishes.
    pub fn network<T: Float>(&self) -> Result<TwoLayer<T>, Error> {
        let scale = T::from_f64(self.scale);
        if !scale.is_finite() || scale == T::ZERO {
            return wrong("output_scale is out of range in this precision");
        }
        let network = TwoLayer::new(self.inputs, self.hidden, self.outputs)?;
        Ok(network.with_output_bias(self.output_bias).with_scale(scale))
    }
}

/// Reads the weights of the file that `header` was parsed from.
///
/// A file of f32 is read into f64 exactly, one of f64 into f32 rounded to nearest.
///
/// # Errors
/// As [`Header::network`]; [`Error::Length`] unless `w` has one entry a parameter;
/// [`Error::Format`] if a weight is not finite or the file is not the header's. `w` is then as it
/// was.
pub fn read<T: Float>(header: &Header, bytes: &[u8], w: &mut [T]) -> Result<(), Error> {
    let network = header.network::<T>()?;
    Error::check_length(Buffer::Weights, network.parameters(), w.len())?;
    let layers = network.layers_mut(w)?;
    let [hidden, output, bias] = header.starts;
    let dtype = header.dtype;
    let data = |start: usize, entries: usize| {
        let data = bytes.get(start..)?.get(..entries * dtype.size())?;
        Some(numbers::<T>(data, dtype))
    };
    let (Some(hidden), Some(mut output), Some(bias)) = (
        data(hidden, layers.hidden.len()),
        data(output, layers.output.len()),
        data(bias, layers.output_bias.len()),
    ) else {
        return wrong("the file is shorter than its header says");
    };
    let mut all = hidden.clone().chain(output.clone()).chain(bias.clone());
    if !all.all(T::is_finite) {
        return wrong("a weight is not finite in this precision");
    }
    fill(layers.hidden.iter_mut(), hidden);
    for unit in 0..network.hidden() {
        // A row of the file's `output` is a column of the network's.
        let column = layers.output.iter_mut().skip(unit);
        fill(column.step_by(network.hidden().max(1)), &mut output);
    }
    fill(layers.output_bias.iter_mut(), bias);
    Ok(())
}

fn fill<'w, T: Float>(places: impl Iterator<Item = &'w mut T>, numbers: impl Iterator<Item = T>) {
    for (place, number) in places.zip(numbers) {
        *place = number;
    }
}

/// Little-endian numbers of type `dtype`.
fn numbers<T: Float>(mut data: &[u8], dtype: Dtype) -> impl Iterator<Item = T> + Clone {
    core::iter::from_fn(move || {
        let (bytes, rest) = data.split_at_checked(dtype.size())?;
        data = rest;
        let number = match dtype {
            Dtype::F32 => f32::from_le_slice(bytes)?.to_f64(),
            Dtype::F64 => f64::from_le_slice(bytes)?,
        };
        Some(T::from_f64(number))
    })
}

/// The header's text, and the data after it.
fn split(bytes: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let Some((len, rest)) = bytes.split_first_chunk() else {
        return wrong("the file is too short for a safetensors file");
    };
    let len = usize::try_from(u64::from_le_bytes(*len)).ok();
    let Some((text, data)) = len.and_then(|len| rest.split_at_checked(len)) else {
        return wrong("the header is longer than the file, which is cut or no safetensors file");
    };
    if core::str::from_utf8(text).is_err() {
        return wrong("the header is not UTF-8 text");
    }
    Ok((text, data))
}
