//! Files that are whole or not there.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::RunError;

/// What a path leads to.
#[derive(Debug)]
pub(super) enum Place {
    /// A plain file or a free name, links followed: to be replaced as a whole.
    Name(PathBuf),
    /// A pipe, a terminal, a device: to be written through, never renamed over.
    Through(File),
}

impl Place {
    /// Finds out; a place that cannot be written to is an error.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        if let Some(file) = standard_stream(path) {
            return file.map(Self::Through);
        }
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_dir() => Err(ErrorKind::IsADirectory.into()),
            Ok(metadata) => {
                let file = OpenOptions::new().append(true).open(path)?;
                if metadata.is_file() && !is_descriptor(path) {
                    fs::canonicalize(path).map(Self::Name)
                } else {
                    Ok(Self::Through(file))
                }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => match fs::read_link(path) {
                Ok(target) => Self::of(&folder(path).join(target)),
                Err(_) => Ok(Self::Name(path.to_owned())),
            },
            Err(error) => Err(error),
        }
    }
}

/// This process's own output or errors, so that they and what goes through here stay in order.
fn standard_stream(path: &Path) -> Option<io::Result<File>> {
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let descriptor = match path.to_str()? {
            "/dev/stdout" | "/dev/fd/1" => io::stdout().as_fd().try_clone_to_owned(),
            "/dev/stderr" | "/dev/fd/2" => io::stderr().as_fd().try_clone_to_owned(),
            _ => return None,
        };
        Some(descriptor.map(File::from))
    }
    #[cfg(not(unix))]
    None
}

/// Other descriptors: though they may lead to a plain file, that file is another's.
fn is_descriptor(path: &Path) -> bool {
    let in_proc = |path: PathBuf| path.starts_with("/proc");
    fs::read_link(path).is_ok_and(in_proc) || fs::canonicalize(folder(path)).is_ok_and(in_proc)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether something that is no plain file stands at a path: it keeps nothing for later. It is not
/// opened, since whoever reads from a pipe would take that for its end.
#[must_use]
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|there| !there.is_dir() && (!there.is_file() || is_descriptor(path)))
}

/// A file that appears under its name only when it is complete. What exists and is no plain file
/// (a pipe, a terminal) is written through.
#[derive(Debug)]
pub struct Output {
    place: Place,
    /// As the user wrote it.
    path: PathBuf,
}

impl Output {
    /// Opens the place, before the work whose result it is to hold. A name is tried out and left
    /// free, so that a process that is killed meanwhile leaves nothing behind.
    ///
    /// # Errors
    /// A place that cannot be written to.
    pub fn open(path: &Path) -> Result<Self, RunError> {
        let open = || {
            let place = Place::of(path)?;
            if let Place::Name(name) = &place {
                try_out(&partial(name))?;
            }
            Ok(Self { place, path: path.to_owned() })
        };
        open().map_err(|error| RunError::file(path, &error))
    }

    /// Writes the whole contents and gives the file its name.
    ///
    /// # Errors
    /// A full disk, say; what stood at the place before is then still there.
    pub fn write(self, contents: &[u8]) -> Result<(), RunError> {
        let result = match self.place {
            Place::Through(mut file) => file.write_all(contents),
            Place::Name(name) => replace(&name, contents),
        };
        result.map_err(|error| RunError::file(&self.path, &error))
    }
}

/// Where a file grows until it is complete. The name is always the same, so that what a killed
/// process leaves there is overwritten by the next.
pub(super) fn partial(name: &Path) -> PathBuf {
    let mut partial = name.as_os_str().to_owned();
    partial.push(".partial");
    partial.into()
}

/// Fails if a file cannot be made here. Leaves none, and one that is there as it is.
fn try_out(partial: &Path) -> io::Result<()> {
    match OpenOptions::new().write(true).create_new(true).open(partial) {
        Ok(_) => fs::remove_file(partial),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            OpenOptions::new().append(true).open(partial).map(drop)
        }
        Err(error) => Err(error),
    }
}

fn replace(name: &Path, contents: &[u8]) -> io::Result<()> {
    let partial = partial(name);
    let write = || {
        let mut file = File::create(&partial)?;
        if let Ok(metadata) = fs::metadata(name) {
            file.set_permissions(metadata.permissions())?;
        }
        file.write_all(contents)?;
        file.sync_all()?;
        fs::rename(&partial, name)
    };
    if let Err(error) = write() {
        // The first error tells more than one about the clearing up.
        let _ = fs::remove_file(&partial);
        return Err(error);
    }
    sync_folder(name)
}

/// Makes a rename outlive a power cut.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder(path))?.sync_all() } else { Ok(()) }
}

/// Opens, writes and names a file in one go.
///
/// # Errors
/// As [`Output::open`] and [`Output::write`].
pub fn write_atomically(path: &Path, contents: &[u8]) -> Result<(), RunError> {
    let place = Place::of(path).map_err(|error| RunError::file(path, &error))?;
    Output { place, path: path.to_owned() }.write(contents)
}
