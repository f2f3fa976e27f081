//! IDX files, plain or gzipped: a big-endian magic number, the length of each axis, then bytes.
//!
//! Images go straight into rows of levels, one image at a time, so that neither the file nor a dense
//! matrix is ever held; and nothing is allocated because a header claims it.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use gradflow_core::Float;
use gradflow_core::network::LevelEntry;

use super::rows::{Levels, levels, push_level};
use super::{DataError, MAX_ENTRIES, Place};

const IMAGES: u32 = 0x0803;
const LABELS: u32 = 0x0801;
const GZIP: [u8; 2] = [0x1f, 0x8b];
const BUFFER: usize = 1 << 16;

/// Grey images, their pixels divided by 255.
pub(super) struct ImageRows<T> {
    pub(super) rows: Levels<T>,
    pub(super) height: usize,
    pub(super) width: usize,
}

/// Wraps a file such that its content is unpacked, if it is gzipped.
pub(super) fn content(file: impl Read + 'static, path: &Path) -> Result<Box<dyn Read>, DataError> {
    let mut file = BufReader::with_capacity(BUFFER, file);
    let start = file.fill_buf().map_err(|error| DataError::file(path, error))?;
    if start.starts_with(&GZIP) {
        let unpacked = MultiGzDecoder::new(file);
        Ok(Box::new(BufReader::with_capacity(BUFFER, unpacked)))
    } else {
        Ok(Box::new(file))
    }
}

/// Reads a file of images.
pub(super) fn read_images<T: Float>(
    reader: impl Read,
    path: &Path,
) -> Result<ImageRows<T>, DataError> {
    let mut idx = Idx::new(reader, path);
    idx.magic(IMAGES, "images")?;
    let [count, height, width] = [idx.length()?, idx.length()?, idx.length()?];
    let pixels = height.saturating_mul(width);
    if pixels > usize::from(u16::MAX) + 1 || pixels.saturating_mul(count) > MAX_ENTRIES {
        let problem = format!(
            "{count} images of {height}×{width} pixels are too many: at most 65536 pixels each \
             and {MAX_ENTRIES} in all are read"
        );
        return Err(idx.wrong(4, problem));
    }
    let mut rows = RowBuffer::new(pixels);
    for _ in 0..count {
        idx.bytes(rows.pixels.get_mut(..pixels).unwrap_or_default())?;
        rows.push();
    }
    idx.end()?;
    Ok(ImageRows { rows: rows.finish(pixels)?, height, width })
}

/// Reads a file of labels, each below `classes`.
pub(super) fn read_labels(
    reader: impl Read,
    path: &Path,
    classes: u8,
) -> Result<Vec<u8>, DataError> {
    let mut idx = Idx::new(reader, path);
    idx.magic(LABELS, "labels")?;
    let count = idx.length()?;
    let labels = idx.up_to(count)?;
    if labels.len() < count {
        return Err(idx.failed(ErrorKind::UnexpectedEof.into()));
    }
    if let Some((at, label)) = (8..).zip(&labels).find(|(_, label)| **label >= classes) {
        let problem = format!("label {label} is not one of the {classes} classes from 0 on");
        return Err(idx.wrong(at, problem));
    }
    idx.end()?;
    Ok(labels)
}

/// A file while it is read.
struct Idx<'a, R> {
    reader: R,
    path: &'a Path,
    offset: u64,
}

impl<'a, R: Read> Idx<'a, R> {
    const fn new(reader: R, path: &'a Path) -> Self {
        Self { reader, path, offset: 0 }
    }

    fn wrong(&self, offset: u64, problem: String) -> DataError {
        DataError::content(self.path, Place::Byte(offset), problem)
    }

    fn failed(&self, error: io::Error) -> DataError {
        match error.kind() {
            ErrorKind::UnexpectedEof => {
                let problem = "the file is cut short: it ends before what its header promises";
                self.wrong(self.offset, problem.to_owned())
            }
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                self.wrong(self.offset, format!("the gzip data are damaged from here on ({error})"))
            }
            _ => DataError::file(self.path, error),
        }
    }

    fn bytes(&mut self, out: &mut [u8]) -> Result<(), DataError> {
        self.reader.read_exact(out).map_err(|error| self.failed(error))?;
        self.offset += out.len() as u64;
        Ok(())
    }

    /// At most `count` bytes, fewer if the file ends, in memory that grows as they come.
    fn up_to(&mut self, count: usize) -> Result<Vec<u8>, DataError> {
        let mut bytes = Vec::new();
        let result = self.reader.by_ref().take(count as u64).read_to_end(&mut bytes);
        self.offset += bytes.len() as u64;
        result.map_err(|error| self.failed(error))?;
        Ok(bytes)
    }

    fn number(&mut self) -> Result<u32, DataError> {
        let mut bytes = [0; 4];
        self.bytes(&mut bytes)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn magic(&mut self, expected: u32, what: &str) -> Result<(), DataError> {
        let found = self.number()?;
        if found == expected {
            return Ok(());
        }
        let problem = format!(
            "the magic number is {found:#010x}, where an IDX file of {what} has {expected:#010x}"
        );
        Err(self.wrong(0, problem))
    }

    /// The length of an axis, at least 1.
    fn length(&mut self) -> Result<usize, DataError> {
        let at = self.offset;
        match self.number()? as usize {
            0 => Err(self.wrong(at, "the header promises 0 entries on an axis".to_owned())),
            length if length > MAX_ENTRIES => Err(self.wrong(
                at,
                format!(
                    "the header promises {length} entries, of which at most {MAX_ENTRIES} are read"
                ),
            )),
            length => Ok(length),
        }
    }

    /// Refuses trailing bytes. Of a gzipped file, this also checks the checksum.
    fn end(&mut self) -> Result<(), DataError> {
        let end = self.offset;
        if self.up_to(1)?.is_empty() {
            return Ok(());
        }
        Err(self.wrong(end, "bytes follow after all that the header promises".to_owned()))
    }
}

/// Takes images one by one and keeps what is not zero.
struct RowBuffer {
    /// One image, filled up with zeros to a multiple of 8.
    pixels: Vec<u8>,
    /// Column and pixel of what is kept of it.
    kept: Vec<(u16, u8)>,
    /// The rows so far, see [`LevelRows`](gradflow_core::network::LevelRows).
    starts: Vec<u32>,
    entries: Vec<LevelEntry>,
}

impl RowBuffer {
    fn new(pixels: usize) -> Self {
        Self {
            pixels: vec![0; pixels.next_multiple_of(8)],
            kept: vec![(0, 0); pixels],
            starts: vec![0],
            entries: Vec::new(),
        }
    }

    /// Appends the image in `pixels`. Most words of 8 pixels are black and passed over at once;
    /// in the others each pixel is written, and kept by counting on, without a branch.
    fn push(&mut self) {
        let mut kept = 0;
        for (word, pixels) in self.pixels.as_chunks::<8>().0.iter().enumerate() {
            if u64::from_ne_bytes(*pixels) == 0 {
                continue;
            }
            for (i, &p) in pixels.iter().enumerate() {
                if let Some(place) = self.kept.get_mut(kept) {
                    *place = ((8 * word + i) as u16, p);
                }
                kept += usize::from(p != 0);
            }
        }
        let mut last = 0;
        for &(column, p) in self.kept.get(..kept).unwrap_or_default() {
            let column = usize::from(column);
            push_level(&mut self.entries, last, (column, p));
            last = column;
        }
        // An entry is a pixel, if a black one: at most MAX_ENTRIES, so it fits.
        self.starts.push(self.entries.len() as u32);
    }

    /// All rows, with `p/255` for each pixel p.
    fn finish<T: Float>(mut self, pixels: usize) -> Result<Levels<T>, DataError> {
        self.entries.shrink_to_fit();
        let values = std::array::from_fn(|p| T::from_usize(p) / T::from_usize(255));
        levels(pixels, self.starts, self.entries, Box::new(values))
    }
}
