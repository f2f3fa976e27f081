//! Data sets from CSV files: one header line, then one sample a line.

use std::collections::HashSet;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use csv::StringRecord;
use gradflow_core::Float;
use gradflow_core::network::Loss;

use super::records::Records;
use super::{DataError, DataSet, MAX_ENTRIES, Place};

/// Reads a CSV file. The columns named in `targets`, in that order, are the outputs, all others
/// in the file's order the inputs. A loss that classifies takes one target column of class labels
/// 0, 1, 2, …; the number of classes is the largest label + 1, and at least 2.
///
/// # Errors
/// What is wrong with the file, and in which line and column.
pub fn read_csv<T: Float>(
    path: &Path,
    targets: &[String],
    loss: Loss,
) -> Result<DataSet<T>, DataError> {
    let file = File::open(path).map_err(|error| DataError::file(path, error))?;
    parse_csv(file, path, targets, loss)
}

/// [`read_csv`] from any reader; errors name it by `path`.
///
/// # Errors
/// As [`read_csv`].
///
/// ```
/// use gradflow_core::network::Loss;
/// use gradflow_std::data::parse_csv;
/// let text = "age,dose,effect\n40,1,0.5\n60,2,0.25\n";
/// let target = ["effect".to_owned()];
/// let set = parse_csv::<f32>(text.as_bytes(), "trial.csv".as_ref(), &target, Loss::Mse)?;
/// assert_eq!((set.len(), set.inputs(), set.values()), (2, 2, Some(&[0.5, 0.25][..])));
/// # Ok::<(), gradflow_std::data::DataError>(())
/// ```
pub fn parse_csv<T: Float>(
    reader: impl Read,
    path: &Path,
    targets: &[String],
    loss: Loss,
) -> Result<DataSet<T>, DataError> {
    check_targets(targets, loss)?;
    let mut records = Records::new(reader, path);
    let Some((line, header)) = records.next()? else {
        let problem = "the file is empty: it needs a header line and a line for each sample";
        return Err(DataError::content(path, Place::File, problem));
    };
    let wrong = |problem| DataError::content(path, Place::Line(line), problem);
    let table = Table::new(path, header.clone(), targets).map_err(wrong)?;
    let mut samples = Columns { x: Vec::new(), y: Vec::new(), labels: Vec::new() };
    while let Some((line, record)) = records.next()? {
        table.push(line, record, loss, &mut samples)?;
    }
    table.finish(samples, loss)
}

fn check_targets(targets: &[String], loss: Loss) -> Result<(), DataError> {
    let problem = match targets {
        [] => "name the column, or columns, that are the target".to_owned(),
        [_, _, ..] if loss.classifies() => {
            format!("there are {} targets, where class labels take one column", targets.len())
        }
        _ => match repeated(targets.iter().map(String::as_str)) {
            Some(target) => format!("the target `{target}` is named twice"),
            None => return Ok(()),
        },
    };
    Err(DataError::Unsuitable(problem))
}

/// The first name that has occurred before.
fn repeated<'a>(mut names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = HashSet::new();
    names.find(|&name| !seen.insert(name))
}

/// Which columns are for what.
struct Table<'a> {
    path: &'a Path,
    header: StringRecord,
    inputs: Vec<usize>,
    targets: Vec<usize>,
}

/// The samples read so far.
struct Columns<T> {
    x: Vec<T>,
    y: Vec<T>,
    labels: Vec<u8>,
}

impl<'a> Table<'a> {
    /// Checks the header, and says what is wrong with it.
    fn new(path: &'a Path, header: StringRecord, targets: &[String]) -> Result<Self, String> {
        if header.iter().all(|name| name.parse::<f64>().is_ok()) {
            let problem = "the first line holds numbers, where a header with names is needed";
            return Err(problem.to_owned());
        }
        if let Some(column) = header.iter().position(str::is_empty) {
            return Err(format!("column {} has no name", column + 1));
        }
        if let Some(name) = repeated(header.iter()) {
            return Err(format!("two columns are named `{name}`"));
        }
        let column = |target: &String| {
            header.iter().position(|name| name == target).ok_or_else(|| {
                let names: Vec<_> = header.iter().take(20).collect();
                let more = if header.len() > 20 { ", …" } else { "" };
                format!("no column is named `{target}`; the columns are {}{more}", names.join(", "))
            })
        };
        let targets: Vec<_> = targets.iter().map(column).collect::<Result<_, _>>()?;
        let inputs: Vec<_> = (0..header.len()).filter(|column| !targets.contains(column)).collect();
        if inputs.is_empty() {
            return Err("every column is a target, and no input is left".to_owned());
        }
        Ok(Self { path, header, inputs, targets })
    }

    fn push<T: Float>(
        &self,
        line: u64,
        record: &StringRecord,
        loss: Loss,
        samples: &mut Columns<T>,
    ) -> Result<(), DataError> {
        let wrong = |problem| DataError::content(self.path, Place::Line(line), problem);
        if record.len() != self.header.len() {
            return Err(wrong(format!(
                "the line has {} fields, where the header has {}",
                record.len(),
                self.header.len()
            )));
        }
        for &column in &self.inputs {
            samples.x.push(self.field(line, record, column, number)?);
        }
        for &column in &self.targets {
            if loss.classifies() {
                samples.labels.push(self.field(line, record, column, label)?);
            } else {
                samples.y.push(self.field(line, record, column, number)?);
            }
        }
        if samples.x.len() + samples.y.len() + samples.labels.len() > MAX_ENTRIES {
            return Err(wrong(format!("the file has more than {MAX_ENTRIES} numbers")));
        }
        Ok(())
    }

    fn field<N>(
        &self,
        line: u64,
        record: &StringRecord,
        column: usize,
        parse: impl Fn(&str) -> Result<N, String>,
    ) -> Result<N, DataError> {
        parse(record.get(column).unwrap_or_default()).map_err(|problem| {
            let place = Place::Field { line, column: self.name(column) };
            DataError::content(self.path, place, problem)
        })
    }

    fn finish<T: Float>(&self, samples: Columns<T>, loss: Loss) -> Result<DataSet<T>, DataError> {
        if samples.x.is_empty() {
            let problem = "there is no sample below the header";
            return Err(DataError::content(self.path, Place::File, problem));
        }
        let set = if loss.classifies() {
            DataSet::from_labels(self.inputs.len(), samples.x, samples.labels)
        } else {
            DataSet::from_values(self.inputs.len(), samples.x, samples.y)
        };
        let names = |columns: &[usize]| columns.iter().map(|&column| self.name(column)).collect();
        set.map(|set| set.with_names(names(&self.inputs), names(&self.targets)))
    }

    fn name(&self, column: usize) -> String {
        self.header.get(column).unwrap_or_default().to_owned()
    }
}

/// A finite number, read in its own precision, so that what was written reads back unchanged.
fn number<T: Float>(text: &str) -> Result<T, String> {
    let (parsed, precision) = if T::BYTES == f32::BYTES {
        (text.parse::<f32>().map(f64::from), "f32")
    } else {
        (text.parse(), "f64")
    };
    match parsed {
        Ok(value) if value.is_finite() => Ok(T::from_f64(value)),
        Ok(_) if text.bytes().any(|byte| byte.is_ascii_digit()) => {
            Err(format!("`{text}` is too large for {precision}"))
        }
        Ok(_) => Err(format!("`{text}` is not finite")),
        Err(_) if text.is_empty() => Err("the field is empty".to_owned()),
        Err(_) => Err(format!("`{text}` is not a number")),
    }
}

fn label(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not a class label: labels are whole numbers from 0 to 255")
    })
}
