//! Data sets written as CSV.

use std::io::{self, Write};

use csv::Writer;
use gradflow_core::Float;

use super::DataSet;

/// Writes a data set as CSV: a header of names, then a line a sample, inputs before targets. Each
/// number is in its shortest form that reads back as the same number.
///
/// # Errors
/// Those of `out`.
pub fn write_csv<T: Float>(set: &DataSet<T>, out: impl Write) -> io::Result<()> {
    let mut out = Writer::from_writer(out);
    out.write_record(set.input_names().iter().chain(set.target_names()))?;
    let mut row = Vec::new();
    for sample in 0..set.len() {
        set.copy_row(sample, &mut row);
        for x in &row {
            out.write_field(format!("{x:?}"))?;
        }
        let values = set.values().unwrap_or_default();
        for y in values.iter().skip(sample * set.outputs()).take(set.outputs()) {
            out.write_field(format!("{y:?}"))?;
        }
        if let Some(label) = set.labels().and_then(|labels| labels.get(sample)) {
            out.write_field(label.to_string())?;
        }
        out.write_record(None::<&[u8]>)?;
    }
    out.flush()
}
