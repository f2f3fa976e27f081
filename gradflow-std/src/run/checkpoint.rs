//! A run in the middle of its way, as one file.
//!
//! One line of JSON (what [`Meta`] holds), then the arrays it names as raw little-endian numbers,
//! then the order of the samples as 32-bit integers. The line carries the SHA-256 of all that
//! follows, so a file that is cut short or changed is refused.

use std::fs;
use std::path::Path;

use gradflow_core::Float;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::output::write_atomically;
use super::{RunError, Trainer};
use crate::data::DataSet;
use crate::spec::{Source, Spec};

/// Version of the format.
const VERSION: u32 = 2;

/// What is known besides the arrays.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Meta<P> {
    version: u32,
    spec: Spec,
    /// Steps done.
    done: usize,
    /// Generator, place in the order, epoch.
    position: [u64; 4],
    /// Names and lengths of the arrays.
    arrays: Vec<(String, usize)>,
    order: usize,
    /// SHA-256 of what follows.
    sha256: String,
    /// SHA-256 of the training set, if it comes from a file that may have changed meanwhile.
    data: Option<String>,
    /// What the session around the trainer wants back.
    pub progress: P,
}

/// Saves a run.
///
/// # Errors
/// A file that cannot be written; an older checkpoint is then still there.
pub(super) fn save<T: Float, P: Serialize>(
    path: &Path,
    spec: &Spec,
    set: &DataSet<T>,
    trainer: &mut Trainer<T>,
    progress: P,
) -> Result<(), RunError> {
    let mut arrays = Vec::new();
    let mut body = Vec::new();
    trainer.visit_state(&mut |name, values| {
        arrays.push((name.to_owned(), values.len()));
        for value in values {
            let start = body.len();
            body.resize(start + T::BYTES, 0);
            value.write_le_slice(&mut body[start..]);
        }
    });
    let (order, position) = trainer.order();
    for index in order {
        body.extend(index.to_le_bytes());
    }
    let (order, done) = (order.len(), trainer.done());
    let sha256 = hex(Sha256::digest(&body));
    let (data, spec) = (fingerprint(spec, set), spec.clone());
    let meta =
        Meta { version: VERSION, spec, done, position, arrays, order, sha256, data, progress };
    let mut bytes = serde_json::to_vec(&meta)
        .map_err(|error| RunError::input(format!("{}: {error}", path.display())))?;
    bytes.push(b'\n');
    bytes.extend(body);
    write_atomically(path, &bytes)
}

/// Puts a trainer where a checkpoint of the same spec was made. `None` if there is no checkpoint.
///
/// # Errors
/// A file that is damaged or belongs to another run.
pub(super) fn load<T: Float, P: for<'de> Deserialize<'de>>(
    path: &Path,
    spec: &Spec,
    set: &DataSet<T>,
    trainer: &mut Trainer<T>,
) -> Result<Option<P>, RunError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(RunError::file(path, &error)),
    };
    restore(&bytes, spec, set, trainer).map(Some).map_err(|problem| {
        RunError::input(format!("{}: {problem}. Delete it to start this run anew", path.display()))
    })
}

fn restore<T: Float, P: for<'de> Deserialize<'de>>(
    bytes: &[u8],
    spec: &Spec,
    set: &DataSet<T>,
    trainer: &mut Trainer<T>,
) -> Result<P, String> {
    let mut parts = bytes.splitn(2, |&byte| byte == b'\n');
    let (Some(line), Some(body)) = (parts.next(), parts.next()) else {
        return Err("this is no checkpoint, or only the beginning of one".to_owned());
    };
    let meta: Meta<P> = serde_json::from_slice(line)
        .map_err(|error| format!("this is no checkpoint of this version ({error})"))?;
    if meta.version != VERSION {
        return Err(format!("version {} of the format is not known", meta.version));
    }
    if meta.sha256 != hex(Sha256::digest(body)) {
        return Err("the checkpoint is damaged: its checksum does not fit".to_owned());
    }
    if meta.spec != *spec {
        return Err("the checkpoint belongs to a run with other settings".to_owned());
    }
    if meta.data != fingerprint(spec, set) {
        return Err("the data have changed since the run began".to_owned());
    }
    let [.., epoch] = meta.position;
    if meta.done > trainer.steps() || u64::from(epoch as u32) > meta.done as u64 {
        return Err("the checkpoint lies behind the run's last step".to_owned());
    }
    let (values, order) =
        body.split_at(body.len().saturating_sub(meta.order.saturating_mul(size_of::<u32>())));
    let mut expected = Vec::new();
    let mut rest = values;
    trainer.visit_state(&mut |name, array| {
        expected.push((name.to_owned(), array.len()));
        for value in array {
            if let Some((head, tail)) = rest.split_at_checked(T::BYTES) {
                *value = T::from_le_slice(head).unwrap_or_default();
                rest = tail;
            }
        }
    });
    if expected != meta.arrays || !rest.is_empty() {
        return Err("the checkpoint holds the arrays of another scheme".to_owned());
    }
    let (words, _) = order.as_chunks();
    let order: Vec<u32> = words.iter().map(|&word| u32::from_le_bytes(word)).collect();
    trainer.resume(meta.done, &order, meta.position).map_err(|error| error.to_string())?;
    Ok(meta.progress)
}

/// The training set in 64 digits, if it comes from a file that may change between two parts of a
/// run.
fn fingerprint<T: Float>(spec: &Spec, set: &DataSet<T>) -> Option<String> {
    if spec.task.meaning() != Source::Csv {
        return None;
    }
    let mut sha256 = Sha256::new();
    let mut row = Vec::new();
    for sample in 0..set.len() {
        set.copy_row(sample, &mut row);
        row.iter().for_each(|x| sha256.update(x.to_bits64().to_le_bytes()));
    }
    let values = set.values().unwrap_or_default();
    values.iter().for_each(|y| sha256.update(y.to_bits64().to_le_bytes()));
    sha256.update(set.labels().unwrap_or_default());
    Some(hex(sha256.finalize()))
}

fn hex(digest: impl IntoIterator<Item = u8>) -> String {
    digest.into_iter().map(|byte| format!("{byte:02x}")).collect()
}
