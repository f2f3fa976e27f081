//! Debian's packages: fetched and unpacked into a folder under `target/`, without root and without
//! touching the system; or installed, by root.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::spawn::{self, Run};
use crate::workspace;

/// Seconds: an update of the lists, and a download of up to 150 MB.
const UPDATE: u64 = 120;
const DOWNLOAD: u64 = 600;
const INSTALL: u64 = 900;

/// apt with lists and a cache of its own: no lock is shared with the system's.
pub(crate) struct Apt {
    state: PathBuf,
}

impl Apt {
    /// Brings the lists of packages up to date.
    pub(crate) fn new() -> Result<Self> {
        for program in ["apt-get", "dpkg"] {
            ensure!(spawn::find(program).is_some(), "{program} was not found: not a Debian system");
        }
        let apt = Self { state: workspace::target().join("apt") };
        for folder in ["lists/partial", "cache/archives/partial"] {
            let folder = apt.state.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("cannot create {folder:?}"))?;
        }
        apt.command().args(["--quiet", "update"]).limit(UPDATE).run()?;
        Ok(apt)
    }

    /// `packages` and whatever they need that this machine has not.
    pub(crate) fn with_dependencies(&self, packages: &[&str]) -> Result<Vec<String>> {
        let plan = self
            .command()
            .args(["--simulate", "--no-install-recommends", "install"])
            .args(packages)
            .limit(UPDATE)
            .text()?;
        Ok(planned(&plan))
    }

    /// Fetches `packages` and unpacks them into `folder`, which then holds them all or is not there.
    pub(crate) fn unpack(&self, packages: &[String], folder: &Path) -> Result<()> {
        // Names of its own, so that two runs at once do not meet.
        let archives = self.state.join(format!("archives-{}", std::process::id()));
        let part = folder.with_extension(format!("part-{}", std::process::id()));
        let unpacked = self.unpack_in(packages, &archives, &part).and_then(|()| {
            remove(folder)?;
            fs::rename(&part, folder).with_context(|| format!("cannot rename {part:?}"))
        });
        for scratch in [&archives, &part] {
            remove(scratch)?;
        }
        unpacked
    }

    fn unpack_in(&self, packages: &[String], archives: &Path, to: &Path) -> Result<()> {
        for folder in [archives, to] {
            fs::create_dir_all(folder).with_context(|| format!("cannot create {folder:?}"))?;
        }
        let download = self.command().args(["--quiet", "download"]).args(packages);
        download.dir(archives).limit(DOWNLOAD).run()?;
        for entry in fs::read_dir(archives)? {
            Run::new("dpkg").arg("-x").arg(entry?.path()).arg(to).limit(DOWNLOAD).run()?;
        }
        Ok(())
    }

    fn command(&self) -> Run {
        let option =
            |name: &str, folder: &str| format!("{name}={}", self.state.join(folder).display());
        Run::new("apt-get")
            .args(["-o", &option("Dir::State::lists", "lists")])
            .args(["-o", &option("Dir::Cache", "cache")])
            // Root's downloads would otherwise be made by a user who may not write here.
            .args(["-o", "APT::Sandbox::User=", "-o", "Acquire::http::Timeout=20"])
    }
}

/// The command that installs `packages`, for a person to type.
pub(crate) fn install_command(packages: &[&str]) -> String {
    format!("apt-get update && apt-get install {}", packages.join(" "))
}

/// Installs `packages` on the system; for root only.
pub(crate) fn install(packages: &[&str]) -> Result<()> {
    let apt = || {
        // Somebody else's installation is waited for.
        Run::new("apt-get")
            .args(["-o", "DPkg::Lock::Timeout=300", "--quiet"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .limit(INSTALL)
    };
    apt().arg("update").run()?;
    apt().args(["--yes", "--no-install-recommends", "install"]).args(packages).run()
}

/// True for the user who may install packages.
pub(crate) fn is_root() -> bool {
    Run::new("id").arg("-u").text().is_ok_and(|id| id.trim() == "0")
}

/// The names in the `Inst NAME (…)` lines of a simulated installation.
fn planned(plan: &str) -> Vec<String> {
    plan.lines()
        .filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next())
        .map(ToString::to_string)
        .collect()
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot remove {folder:?}"))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_names_each_package_once() {
        let plan = "Reading package lists...\nThe following NEW packages will be installed:\n  \
            libllvm22 rustc-web\nInst libllvm22 (1:22.1.8 Debian:12 [amd64])\n\
            Inst rustc-web [1.85.0] (1.96.0 Debian:12 [amd64])\nConf libllvm22 (1:22.1.8 Debian)\n";
        assert_eq!(planned(plan), ["libllvm22", "rustc-web"]);
    }
}
