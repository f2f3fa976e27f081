//! Tables that grow while a run lasts.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::RunError;
use super::output::{Place, partial, sync_folder};

/// A table that grows while a run lasts: `NAME.partial` until it is complete.
#[derive(Debug)]
pub struct Growing {
    out: BufWriter<File>,
    /// Where it grows and its name in the end, unless it is written through.
    names: Option<(PathBuf, PathBuf)>,
    /// As the user wrote it.
    path: PathBuf,
    /// Whether what has grown stays if the run breaks off.
    kept: bool,
}

impl Growing {
    /// Opens the place. With `keep`, goes on after that many bytes of what an interrupted run left
    /// there.
    ///
    /// # Errors
    /// A place that cannot be written to, or that holds less than `keep` bytes.
    pub fn open(path: &Path, keep: Option<u64>) -> Result<Self, RunError> {
        let open = || match Place::of(path)? {
            Place::Through(file) => Ok((file, None)),
            Place::Name(name) => {
                let partial = partial(&name);
                Ok((grow(&partial, &name, keep.unwrap_or(0))?, Some((partial, name))))
            }
        };
        let (file, names) = open().map_err(|error| RunError::file(path, &error))?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { out, names, path: path.to_owned(), kept: keep.is_some() })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), RunError> {
        writeln!(self.out, "{line}").map_err(|error| RunError::file(&self.path, &error))
    }

    /// Puts everything on disk, to stay there for a run that goes on from here; returns how many
    /// bytes that is, 0 for a pipe.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn sync(&mut self) -> Result<u64, RunError> {
        let synced = self.out.flush().and_then(|()| match self.names {
            Some(_) => {
                self.out.get_ref().sync_data()?;
                self.out.stream_position()
            }
            None => Ok(0),
        });
        self.kept |= synced.is_ok();
        synced.map_err(|error| RunError::file(&self.path, &error))
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn finish(mut self) -> Result<(), RunError> {
        self.sync()?;
        match &self.names {
            Some((partial, name)) => fs::rename(partial, name).and_then(|()| sync_folder(name)),
            None => Ok(()),
        }
        .map_err(|error| RunError::file(&self.path, &error))
    }
}

/// Nothing refers to the rows of a run that broke off before its first checkpoint.
impl Drop for Growing {
    fn drop(&mut self) {
        if let (Some((partial, _)), false) = (&self.names, self.kept) {
            // There is no one to tell if even this fails.
            let _ = fs::remove_file(partial);
        }
    }
}

/// Opens the growing file at its first byte that is not kept.
fn grow(partial: &Path, name: &Path, keep: u64) -> io::Result<File> {
    if keep > 0 && !partial.exists() && name.exists() {
        // The run was killed after this table had got its name, but before its end.
        fs::copy(name, partial)?;
    }
    let mut file = OpenOptions::new().write(true).create(true).truncate(false).open(partial)?;
    if file.metadata()?.len() < keep {
        return Err(io::Error::other("it holds less than the checkpoint says"));
    }
    file.set_len(keep)?;
    file.seek(SeekFrom::Start(keep))?;
    Ok(file)
}
