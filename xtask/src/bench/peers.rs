//! What others train with, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::spawn::{self, Run};
use crate::{stop, workspace};

/// Another program to measure: a script or a source file of its name in `xtask/peers`.
#[derive(Debug)]
pub(super) struct Peer {
    name: &'static str,
    needs: Needs,
}

/// What is installed for it.
#[derive(Debug)]
enum Needs {
    /// Packages for Python.
    Python(&'static [&'static str]),
    /// Crates, in the words of a manifest, and the version of the framework among them.
    Rust { version: &'static str, crates: &'static str },
}

const PEERS: [Peer; 5] = [
    Peer { name: "torch", needs: Needs::Python(&["torch==2.15.0", "numpy==2.4.6"]) },
    Peer { name: "jax", needs: Needs::Python(&["jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6"]) },
    Peer { name: "numpy", needs: Needs::Python(&["numpy==2.4.6", "scipy==1.17.1"]) },
    Peer {
        name: "candle",
        needs: Needs::Rust {
            version: "0.11.1",
            crates: "candle-core = '=0.11.1'\ncandle-nn = '=0.11.1'\n",
        },
    },
    Peer {
        name: "burn",
        needs: Needs::Rust {
            version: "0.22.0",
            crates: "burn = { version = '=0.22.0', default-features = false, features = \
                     ['std', 'optim', 'autodiff', 'flex', 'simd', 'x86-v4'] }\n",
        },
    },
];

/// The peers in a list with commas, or all that need no compiler.
pub(super) fn named(list: Option<&str>) -> Result<Vec<&'static Peer>> {
    let Some(list) = list else {
        return Ok(PEERS.iter().filter(|peer| peer.packages().is_some()).collect());
    };
    let find = |name: &str| {
        PEERS.iter().find(|peer| peer.name == name).ok_or_else(|| {
            let known = PEERS.each_ref().map(|peer| peer.name).join(", ");
            stop::usage(format!("there is no peer `{name}`: they are {known}"))
        })
    };
    list.split(',').map(find).collect()
}

impl Peer {
    #[cfg(test)]
    pub(super) const fn name(&self) -> &'static str {
        self.name
    }

    /// Its packages, if it is a script for Python.
    const fn packages(&self) -> Option<&'static [&'static str]> {
        match self.needs {
            Needs::Python(packages) => Some(packages),
            Needs::Rust { .. } => None,
        }
    }

    fn source(&self) -> PathBuf {
        let ending = if self.packages().is_some() { "py" } else { "rs" };
        workspace::root().join("xtask/peers").join(format!("{}_peer.{ending}", self.name))
    }

    /// What is measured: the script, or the program, which is built first.
    pub(super) fn program(&self) -> Result<PathBuf> {
        match self.needs {
            Needs::Python(_) => Ok(self.source()),
            Needs::Rust { version, crates } => self.build(version, crates),
        }
    }

    fn build(&self, version: &str, crates: &str) -> Result<PathBuf> {
        let folder = folder().join(self.name);
        let manifest = folder.join("Cargo.toml");
        fs::create_dir_all(&folder)
            .and_then(|()| fs::write(&manifest, self.manifest(crates)))
            .with_context(|| format!("cannot write {}", manifest.display()))?;
        let build = Run::cargo("build").args(["--release", "--manifest-path"]).arg(&manifest);
        let target = folder.join("target");
        build.arg("--target-dir").arg(&target).env("PEER_VERSION", version).run()?;
        Ok(target.join("release").join(format!(
            "{}-peer{}",
            self.name,
            std::env::consts::EXE_SUFFIX
        )))
    }

    /// A package of its own: what it depends on is not the workspace's.
    fn manifest(&self, crates: &str) -> String {
        let (name, source) = (self.name, self.source());
        format!(
            "[package]\nname = '{name}-peer'\nversion = '0.0.0'\nedition = '2024'\n\n[workspace]\n\n\
             [[bin]]\nname = '{name}-peer'\npath = '{}'\n\n[dependencies]\nflate2 = '1'\n\
             rustix = {{ version = '1', features = ['time'] }}\n{crates}",
            source.display()
        )
    }
}

fn folder() -> PathBuf {
    workspace::target().join("peers")
}

/// Makes sure of the packages of these peers; returns the Python that has them, if any needs one.
pub(super) fn install(peers: &[&Peer]) -> Result<Option<PathBuf>> {
    let mut python = None;
    for peer in peers {
        if let Some(packages) = peer.packages() {
            let python = &*python.insert(environment()?);
            install_packages(python, peer.name, packages)?;
        }
    }
    Ok(python)
}

/// A Python of our own.
fn environment() -> Result<PathBuf> {
    let python = folder().join("bin/python");
    if !python.is_file() {
        let system = ["python3", "python"].into_iter().find_map(spawn::find).ok_or_else(|| {
            stop::missing("Python 3 is not installed: `--peers` needs it, with its module venv")
        })?;
        Run::new(system).args(["-m", "venv"]).arg(folder()).run()?;
    }
    Ok(python)
}

fn install_packages(python: &Path, name: &str, packages: &[&str]) -> Result<()> {
    // A mark for what is complete: asking pip takes seconds, and a network.
    let mark = folder().join(format!("{name}.installed"));
    if fs::read_to_string(&mark).unwrap_or_default() == packages.join("\n") {
        return Ok(());
    }
    let pip = Run::new(python).args(["-m", "pip", "install", "--quiet"]).args(packages);
    pip.run().with_context(|| format!("{} could not be installed", packages.join(", ")))?;
    fs::write(&mark, packages.join("\n"))
        .with_context(|| format!("cannot write {}", mark.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_its_source() {
        for peer in &PEERS {
            assert!(peer.source().is_file(), "{}", peer.name);
        }
    }

    #[test]
    fn a_manifest_names_the_source_and_the_crates() {
        let manifest = PEERS[3].manifest("candle-core = '=0.11.1'\n");
        assert!(manifest.contains("candle_peer.rs'"), "{manifest}");
        assert!(manifest.ends_with("['time'] }\ncandle-core = '=0.11.1'\n"), "{manifest}");
    }
}
