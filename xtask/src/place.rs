//! Files that are either right or not there: checked by length and SHA-256, written atomically.

use std::fs;
use std::io::{self, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};

use crate::dataset::File;

/// How a file on disk compares with what it should be.
#[derive(Debug, PartialEq)]
pub(crate) enum State {
    Right,
    Absent,
    /// With the reason.
    Damaged(String),
}

/// Compares the file in `folder` with its length and checksum.
pub(crate) fn check(folder: &Path, file: &File) -> Result<State> {
    let path = folder.join(file.name);
    let bytes = match fs::metadata(&path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Absent),
        Err(error) => return Err(error).with_context(|| format!("cannot look at {path:?}")),
    };
    if bytes != file.bytes {
        return Ok(State::Damaged(format!("{bytes} bytes instead of {}", file.bytes)));
    }
    let source = fs::File::open(&path).with_context(|| format!("cannot open {path:?}"))?;
    let (_, sum) = copy(source, io::sink()).with_context(|| format!("cannot read {path:?}"))?;
    Ok(if sum == file.sha256 {
        State::Right
    } else {
        State::Damaged(format!("SHA-256 {sum} instead of {}", file.sha256))
    })
}

/// Writes `source` to the file in `folder`, if it is what it should be: first under another name,
/// so that nobody ever sees half a file.
pub(crate) fn place(source: impl Read, folder: &Path, file: &File) -> Result<()> {
    sweep(folder, file)?;
    let part = folder.join(format!(".{}.{}.part", file.name, std::process::id()));
    let placed = write_part(source, &part, file).and_then(|()| {
        fs::rename(&part, folder.join(file.name)).with_context(|| format!("cannot rename {part:?}"))
    });
    if placed.is_err() {
        // It may not exist; the first error is the one to tell.
        let _ = fs::remove_file(&part);
    } else if cfg!(unix) {
        // The new name is durable once its folder is.
        fs::File::open(folder)?.sync_all().with_context(|| format!("cannot sync {folder:?}"))?;
    }
    placed
}

fn write_part(source: impl Read, part: &Path, file: &File) -> Result<()> {
    let mut target = fs::File::create(part).with_context(|| format!("cannot create {part:?}"))?;
    // One byte more than wanted tells a file that is too long from one that is right.
    let (bytes, sum) = copy(source.take(file.bytes + 1), &mut target)
        .with_context(|| format!("cannot write {part:?}"))?;
    ensure!(bytes <= file.bytes, "{}: more than {} bytes", file.name, file.bytes);
    ensure!(bytes == file.bytes, "{}: {bytes} bytes instead of {}", file.name, file.bytes);
    ensure!(sum == file.sha256, "{}: SHA-256 {sum} instead of {}", file.name, file.sha256);
    target.sync_all().with_context(|| format!("cannot sync {part:?}"))
}

/// Copies all of `source`; returns its length and its SHA-256.
fn copy(mut source: impl Read, mut target: impl Write) -> io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let n = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let (chunk, _) = buffer.split_at(n);
        hash.update(chunk);
        target.write_all(chunk)?;
        bytes += n as u64;
    }
    let sum = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Ok((bytes, sum))
}

/// Removes parts that a killed run left behind. A young one may belong to a run that is still busy.
fn sweep(folder: &Path, file: &File) -> Result<()> {
    let prefix = format!(".{}.", file.name);
    for entry in fs::read_dir(folder).with_context(|| format!("cannot list {folder:?}"))? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let age = entry.metadata()?.modified()?.elapsed().unwrap_or_default();
        if name.starts_with(&prefix) && name.ends_with(".part") && age > Duration::from_secs(3600) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABC: File = File {
        name: "abc",
        bytes: 3,
        sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", // FIPS 180-2, B.1
    };

    /// A fresh folder, named by the test.
    fn folder(test: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("gradflow-{test}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string();
        fs::read_dir(folder).unwrap().map(|entry| name(entry).unwrap()).collect()
    }

    #[test]
    fn what_is_right_is_placed_and_found_right() {
        let folder = folder("right");
        assert_eq!(check(&folder, &ABC).unwrap(), State::Absent);
        place(&b"abc"[..], &folder, &ABC).unwrap();
        assert_eq!(check(&folder, &ABC).unwrap(), State::Right);
        assert_eq!(names(&folder), ["abc"]);
    }

    #[test]
    fn what_is_wrong_leaves_the_folder_as_it_was() {
        let folder = folder("wrong");
        for (bytes, reason) in [("ab", "2 bytes"), ("abx", "SHA-256"), ("abcdef", "more than 3")] {
            let error = place(bytes.as_bytes(), &folder, &ABC).unwrap_err();
            assert!(error.to_string().contains(reason), "{error}");
            assert!(names(&folder).is_empty());
        }
    }

    #[test]
    fn damage_is_seen_and_repaired() {
        let folder = folder("damaged");
        for (bytes, reason) in [("ab", "2 bytes instead of 3"), ("abx", "SHA-256")] {
            fs::write(folder.join("abc"), bytes).unwrap();
            let State::Damaged(why) = check(&folder, &ABC).unwrap() else {
                panic!("{bytes} passed for abc")
            };
            assert!(why.contains(reason), "{why}");
        }
        place(&b"abc"[..], &folder, &ABC).unwrap();
        assert_eq!(check(&folder, &ABC).unwrap(), State::Right);
    }
}
