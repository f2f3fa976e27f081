//! The lines of a CSV file.

use std::io::{Chain, Read, Take};
use std::path::Path;

use csv::{ErrorKind, Reader, ReaderBuilder, StringRecord, Terminator, Trim};

use super::{DataError, Place};

/// Bytes of the longest line that is read, so that an endless one does not fill the memory.
const MAX_LINE: u64 = 1 << 22;

/// Reads the lines that are not blank.
pub(super) struct Records<'a, R> {
    reader: Reader<Take<Chain<R, &'static [u8]>>>,
    record: StringRecord,
    path: &'a Path,
}

impl<'a, R: Read> Records<'a, R> {
    pub(super) fn new(reader: R, path: &'a Path) -> Self {
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            // A line ends with its line feed, so that lines are counted right; `trim` drops the
            // carriage returns.
            .terminator(Terminator::Any(b'\n'))
            .trim(Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(reader.chain(&b"\n"[..]).take(MAX_LINE));
        Self { reader, record: StringRecord::new(), path }
    }

    /// The next line's number, counted from 1, and its fields.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &StringRecord)>, DataError> {
        while self.read()? {
            if !self.record.iter().eq([""]) {
                // The reader stands behind the line feed, be it the one that `new` has added.
                let line = self.reader.position().line() - 1;
                return Ok(Some((line, &self.record)));
            }
        }
        Ok(None)
    }

    fn read(&mut self) -> Result<bool, DataError> {
        self.reader.get_mut().set_limit(MAX_LINE);
        let line = self.reader.position().line();
        let wrong = |problem| DataError::content(self.path, Place::Line(line), problem);
        let read = self.reader.read_record(&mut self.record);
        if self.reader.get_ref().limit() == 0 {
            return Err(wrong(format!("the line has more than {MAX_LINE} bytes")));
        }
        read.map_err(|error| match error.into_kind() {
            ErrorKind::Io(error) => DataError::file(self.path, error),
            ErrorKind::Utf8 { err, .. } => wrong(format!("field {} is not UTF-8", err.field() + 1)),
            other => wrong(format!("{other:?}")),
        })
    }
}
