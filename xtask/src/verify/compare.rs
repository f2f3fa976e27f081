//! Digests of two targets side by side.

use std::fmt::Write as _;

use anyhow::{Result, bail};

use super::column::{Column, Expected};

/// What a target printed, in its order.
#[derive(Debug)]
pub(super) struct Digests(Vec<Line>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Line {
    name: String,
    step: u32,
    digest: String,
}

impl Line {
    /// Scheme, or group of probes: the row of the table.
    fn row(&self) -> &str {
        self.name.split(['/', ',']).next().unwrap_or_default()
    }
}

impl Digests {
    /// Reads lines `name step digest`, up to `end`; those that begin with `#` are comments.
    pub(super) fn read(text: &str) -> Result<Self> {
        let mut lines = Vec::new();
        for line in text.lines().map(str::trim_end) {
            if line == "end" {
                break;
            }
            if line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.split(' ').collect();
            let (&[name, step, digest], 16) = (&words[..], words.last().map_or(0, |w| w.len()))
            else {
                bail!("`{line}` is no digest");
            };
            let Ok(step) = step.parse() else { bail!("`{line}` has no step") };
            lines.push(Line { name: name.into(), step, digest: digest.into() });
        }
        if lines.is_empty() {
            bail!("there are no digests");
        }
        Ok(Self(lines))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Names of the rows, in order of first appearance.
    fn rows(&self) -> Vec<&str> {
        let mut rows: Vec<&str> = Vec::new();
        for line in &self.0 {
            if !rows.contains(&line.row()) {
                rows.push(line.row());
            }
        }
        rows
    }

    /// The first line of a row that is not what `other` says, or is missing there.
    fn first_difference<'d>(&'d self, row: &str, other: &Self) -> Option<&'d Line> {
        self.0.iter().filter(|line| line.row() == row).find(|line| !other.0.contains(line))
    }

    /// The first line that is not what `other` says, or that only `other` has.
    pub(super) fn differ_at(&self, other: &Self) -> Option<String> {
        let of_two = |a: &Self, b: &Self| a.0.iter().find(|line| !b.0.contains(line)).cloned();
        let line = of_two(self, other).or_else(|| of_two(other, self))?;
        Some(format!("{} at step {}", line.name, line.step))
    }
}

/// Prints the table and the first difference of each column; returns how many columns are not as
/// they must be.
pub(super) fn print(here: &Digests, columns: &[Column]) -> usize {
    println!("{}", table(here, columns));
    let mut wrong = 0;
    for column in columns {
        let difference = here.differ_at(&column.digests);
        match (column.expected, difference) {
            (Expected::Equal, None) => {}
            (Expected::Different, Some(first)) => {
                println!("{}: differs, as documented, first {first}", column.name);
            }
            (Expected::Equal, Some(first)) => {
                println!("{}: DIFFERS, first {first}", column.name);
                wrong += 1;
            }
            (Expected::Different, None) => {
                println!("{}: EQUAL, though it should differ", column.name);
                wrong += 1;
            }
        }
    }
    wrong
}

fn table(here: &Digests, columns: &[Column]) -> String {
    let rows = here.rows();
    let first = rows.iter().map(|row| row.len()).max().unwrap_or_default();
    let mut table = format!("{:first$}", "");
    for column in columns {
        let _ = write!(table, "  {:>9}", column.name);
    }
    for row in rows {
        let _ = write!(table, "\n{row:first$}");
        for column in columns {
            let cell = match here.first_difference(row, &column.digests) {
                None => "equal".to_string(),
                Some(line) => format!("step {}", line.step),
            };
            let _ = write!(table, "  {cell:>0$}", column.name.len().max(9));
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: &str = "sgd/line 2 0000000000000001\nsgd/line 4 0000000000000002\n\
                        sums,f64 0 0000000000000003\n";

    fn column(text: &str, expected: Expected) -> Column {
        Column::of("there", expected, text).unwrap()
    }

    #[test]
    fn equal_is_equal_whatever_stands_around_it() {
        let here = Digests::read(HERE).unwrap();
        let there = format!("# comment\n{}end\nnoise", HERE.replace('\n', "\r\n"));
        assert_eq!(here.differ_at(&column(&there, Expected::Equal).digests), None);
        assert_eq!(here.rows(), ["sgd", "sums"]);
        assert_eq!(print(&here, &[column(&there, Expected::Equal)]), 0);
        assert_eq!(print(&here, &[column(&there, Expected::Different)]), 1);
    }

    #[test]
    fn the_first_step_that_differs_is_named() {
        let here = Digests::read(HERE).unwrap();
        let there = column(&HERE.replace("02\n", "12\n"), Expected::Equal);
        assert_eq!(here.differ_at(&there.digests).unwrap(), "sgd/line at step 4");
        assert!(table(&here, std::slice::from_ref(&there)).contains("step 4"));
        assert_eq!(print(&here, &[there]), 1);
    }

    #[test]
    fn a_line_too_few_or_too_many_is_a_difference() {
        let here = Digests::read(HERE).unwrap();
        let (less, more) = (HERE.lines().next().unwrap(), format!("{HERE}x 0 0000000000000004\n"));
        assert!(here.differ_at(&Digests::read(less).unwrap()).is_some());
        assert_eq!(here.differ_at(&Digests::read(&more).unwrap()).unwrap(), "x at step 0");
    }

    #[test]
    fn what_is_no_digest_is_refused() {
        for text in [
            "",
            "end",
            "error: sgd/line: not finite",
            "sgd/line 2 12",
            "sgd/line x 0000000000000001",
        ] {
            assert!(Digests::read(text).is_err(), "{text}");
        }
    }
}
