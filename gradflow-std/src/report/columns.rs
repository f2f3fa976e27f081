//! A CSV file of numbers, by columns.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail, ensure};

/// The columns of one file; an empty field is NaN.
#[derive(Clone, Debug)]
pub struct Columns {
    path: PathBuf,
    names: Vec<String>,
    values: Vec<Vec<f64>>,
}

impl Columns {
    /// Reads a file with a header line.
    ///
    /// # Errors
    /// If the file is missing, is cut off, or holds something other than numbers; the message names
    /// the file, the line and the column.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(path, &text)
    }

    fn parse(path: &Path, text: &str) -> Result<Self> {
        let file = path.display();
        ensure!(text.ends_with('\n'), "{file} is cut off: its last line has no end. Run it again");
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        let header =
            reader.headers().with_context(|| format!("{file}: the header cannot be read"))?;
        let names: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let mut values = vec![Vec::new(); names.len()];
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).with_context(|| format!("{file} is damaged"))? {
            for ((field, column), name) in record.iter().zip(&mut values).zip(&names) {
                column.push(number(field).with_context(|| {
                    let line = record.position().map_or(0, csv::Position::line);
                    format!("{file}, line {line}: {name} is {field:?}, which is no number")
                })?);
            }
        }
        Ok(Self { path: path.to_owned(), names, values })
    }

    /// The column of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn column(&self, name: &str) -> Result<&[f64]> {
        match self.names.iter().zip(&self.values).find(|(n, _)| *n == name) {
            Some((_, values)) => Ok(values),
            None => bail!(
                "{} has no column {name:?}, only {}",
                self.path.display(),
                self.names.join(", ")
            ),
        }
    }
}

fn number(field: &str) -> Option<f64> {
    let field = field.trim();
    if field.is_empty() { Some(f64::NAN) } else { field.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Columns> {
        Columns::parse(Path::new("run/trace.csv"), text)
    }

    #[test]
    fn empty_fields_are_nan() {
        let columns = parse("step,loss,kappa\n0,2.5,\n1,1e-7,1\n").unwrap();
        assert_eq!(columns.column("loss").unwrap(), [2.5, 1e-7]);
        assert!(columns.column("kappa").unwrap()[0].is_nan());
    }

    #[test]
    fn damage_is_named_with_file_and_place() {
        let cases = [
            ("step,loss\n0,1\n1", "run/trace.csv is cut off"),
            ("step,loss\n0,1\n1\n", "run/trace.csv is damaged"),
            ("step,loss\n0,1\n1,abc\n", "run/trace.csv, line 3: loss is \"abc\""),
            ("", "run/trace.csv is cut off"),
        ];
        for (text, message) in cases {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(message), "{text:?}: {error}");
        }
        let columns = parse("step,loss\n").unwrap();
        let error = columns.column("energy").unwrap_err().to_string();
        assert_eq!(error, "run/trace.csv has no column \"energy\", only step, loss");
    }
}
