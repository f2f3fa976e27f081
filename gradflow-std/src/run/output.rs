//! Files that are whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use super::RunError;

/// A file that appears under its name only when it is complete. What exists and is no plain file
/// (a pipe, a terminal) is written through.
#[derive(Debug)]
pub enum Output {
    /// A temporary file beside the place, and the place.
    Atomic(NamedTempFile, PathBuf),
    /// Opened for writing.
    Through(File, PathBuf),
}

impl Output {
    /// Opens the place, before the work whose result it is to hold.
    ///
    /// # Errors
    /// A place that cannot be written to.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        Self::try_open(path).map_err(|error| RunError::file(path, &error))
    }

    fn try_open(path: &Path) -> io::Result<Self> {
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            Ok(metadata) if !metadata.is_file() => {
                Ok(Self::Through(OpenOptions::new().write(true).open(path)?, path.to_owned()))
            }
            Ok(_) => {
                OpenOptions::new().append(true).open(path)?;
                Self::beside(path)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::beside(path),
            Err(error) => Err(error),
        }
    }

    fn beside(path: &Path) -> io::Result<Self> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = Builder::new();
        builder.prefix(".gradflow-");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        Ok(Self::Atomic(builder.tempfile_in(folder)?, path.to_owned()))
    }

    /// Writes the whole contents and gives the file its name.
    ///
    /// # Errors
    /// A full disk, say; what stood at the place before is then still there.
    pub fn write(self, contents: &[u8]) -> Result<(), RunError> {
        let (result, path) = match self {
            Self::Through(mut file, path) => (file.write_all(contents), path),
            Self::Atomic(mut file, path) => {
                let written = file.write_all(contents).and_then(|()| file.as_file().sync_all());
                let kept = written.and_then(|()| match file.persist(&path) {
                    Ok(_) => sync_folder(&path),
                    Err(error) => Err(error.error),
                });
                (kept, path)
            }
        };
        result.map_err(|error| RunError::file(&path, &error))
    }
}

/// Makes a rename outlive a power cut.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) && !folder.as_os_str().is_empty() => {
            File::open(folder)?.sync_all()
        }
        _ => Ok(()),
    }
}

/// Opens, writes and names a file in one go.
///
/// # Errors
/// As [`Output::open`] and [`Output::write`].
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), RunError> {
    Output::open(path)?.write(contents)
}

/// A table that grows while a run lasts: `NAME.partial` until it is complete.
#[derive(Debug)]
pub struct Growing {
    out: BufWriter<File>,
    /// Where it grows, unless it is written through.
    partial: Option<PathBuf>,
    path: PathBuf,
}

impl Growing {
    /// Opens the place; keeps the first `keep` bytes of what an interrupted run left there.
    ///
    /// # Errors
    /// A place that cannot be written to, or that holds less than `keep` bytes.
    pub fn open(path: &Path, keep: u64) -> Result<Self, RunError> {
        Self::try_open(path, keep).map_err(|error| RunError::file(path, &error))
    }

    fn try_open(path: &Path, keep: u64) -> io::Result<Self> {
        let special = fs::metadata(path).is_ok_and(|metadata| !metadata.is_file());
        if special {
            let file = OpenOptions::new().write(true).open(path)?;
            return Ok(Self { out: BufWriter::new(file), partial: None, path: path.to_owned() });
        }
        if path.exists() {
            OpenOptions::new().append(true).open(path)?;
        }
        let partial = partial(path);
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(false).open(&partial)?;
        if file.metadata()?.len() < keep {
            return Err(io::Error::other("shorter than its checkpoint says"));
        }
        file.set_len(keep)?;
        file.seek(SeekFrom::Start(keep))?;
        let out = BufWriter::with_capacity(1 << 16, file);
        Ok(Self { out, partial: Some(partial), path: path.to_owned() })
    }

    /// Appends a line.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn line(&mut self, line: std::fmt::Arguments<'_>) -> Result<(), RunError> {
        writeln!(self.out, "{line}").map_err(|error| RunError::file(&self.path, &error))
    }

    /// Puts everything on disk; returns how many bytes that is, 0 for a pipe.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn sync(&mut self) -> Result<u64, RunError> {
        let synced = self.out.flush().and_then(|()| match self.partial {
            Some(_) => {
                self.out.get_ref().sync_data()?;
                self.out.stream_position()
            }
            None => Ok(0),
        });
        synced.map_err(|error| RunError::file(&self.path, &error))
    }

    /// Gives the complete file its name.
    ///
    /// # Errors
    /// A full disk, say.
    pub fn finish(mut self) -> Result<(), RunError> {
        self.sync()?;
        match &self.partial {
            Some(partial) => fs::rename(partial, &self.path).and_then(|()| sync_folder(&self.path)),
            None => Ok(()),
        }
        .map_err(|error| RunError::file(&self.path, &error))
    }
}

/// Where a growing file grows.
#[must_use]
fn partial(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    name.into()
}
