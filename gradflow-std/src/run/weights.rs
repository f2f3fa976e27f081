//! Files of weights.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use gradflow_core::network::TwoLayer;
use gradflow_core::weights::{self, Header};
use gradflow_core::{Error, Float};

use super::RunError;
use super::room::MAX_PARAMETERS;
use crate::data::DataSet;

/// Longest header that is read; what is written here takes less than 400 bytes.
const MAX_HEADER: u64 = 1 << 16;

/// The weights as a safetensors file.
///
/// # Errors
/// Weights that do not belong to the network.
pub fn weights_file<T: Float>(network: &TwoLayer<T>, w: &[T]) -> Result<Vec<u8>, RunError> {
    let mut bytes = vec![0; weights::file_len(network)];
    let len = weights::write(network, w, &mut bytes)?;
    bytes.truncate(len);
    Ok(bytes)
}

/// A network and its weights from a file, for a data set. A network may know more classes than
/// occur in the set.
///
/// # Errors
/// A file that cannot be read, is not a file of weights, or is one of another shape.
pub fn load_weights<T: Float>(
    path: &Path,
    set: &DataSet<T>,
) -> Result<(TwoLayer<T>, Vec<T>), RunError> {
    let wrong = |problem: String| RunError::input(format!("{}: {problem}", path.display()));
    let bytes = read(path).map_err(|error| RunError::file(path, &error))?;
    let (network, w) = parse(&bytes).map_err(|error| wrong(error.to_string()))?;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let answers = match set.labels() {
        Some(_) => outputs >= set.outputs(),
        None => outputs == set.outputs(),
    };
    if inputs == set.inputs() && answers {
        return Ok((network, w));
    }
    Err(wrong(format!(
        "the weights map {inputs} inputs to {outputs} outputs, but the data has {} inputs and {} \
         outputs",
        set.inputs(),
        set.outputs()
    )))
}

/// The bytes of a file that may be one of weights. What is none is not read to its end, which
/// need not exist.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    let opening = size_of::<u64>() as u64 + MAX_HEADER;
    file.by_ref().take(opening).read_to_end(&mut bytes)?;
    let header = bytes.first_chunk().map_or(0, |len| u64::from_le_bytes(*len));
    if header > MAX_HEADER || bytes.get(size_of::<u64>()) != Some(&b'{') {
        return Err(io::Error::other("this is no safetensors file of weights"));
    }
    let rest = MAX_PARAMETERS * f64::BYTES + 1;
    file.take(rest as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn parse<T: Float>(bytes: &[u8]) -> Result<(TwoLayer<T>, Vec<T>), Error> {
    let header = Header::parse(bytes)?;
    let network = header.network()?;
    let mut w = vec![T::ZERO; network.parameters()];
    weights::read(&header, bytes, &mut w)?;
    Ok((network, w))
}
