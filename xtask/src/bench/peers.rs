//! What others train with, in a folder of its own.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::spawn::{self, Run};
use crate::{stop, workspace};

/// A peer's name, and the packages that its script needs.
const PEERS: [(&str, &[&str]); 3] = [
    ("torch", &["torch==2.15.0", "numpy==2.4.6"]),
    ("jax", &["jax==0.10.2", "jaxlib==0.10.2", "numpy==2.4.6"]),
    ("numpy", &["numpy==2.4.6", "scipy==1.17.1"]),
];

/// The peers in a list with commas, or all of them.
pub(super) fn named(list: Option<&str>) -> Result<Vec<String>> {
    let Some(list) = list else {
        return Ok(PEERS.map(|(name, _)| name.to_string()).to_vec());
    };
    list.split(',')
        .map(|name| match PEERS.iter().find(|(known, _)| *known == name) {
            Some((known, _)) => Ok((*known).to_string()),
            None => Err(stop::usage(format!(
                "there is no peer `{name}`: they are {}",
                PEERS.map(|(name, _)| name).join(", ")
            ))),
        })
        .collect()
}

/// The peer's script.
pub(super) fn script(peer: &str) -> PathBuf {
    workspace::root().join("xtask/peers").join(format!("{peer}_peer.py"))
}

/// Makes sure of the packages of these peers; returns the Python that has them.
pub(super) fn install(peers: &[String]) -> Result<PathBuf> {
    let folder = workspace::target().join("peers");
    let python = folder.join("bin/python");
    if !python.is_file() {
        let system = ["python3", "python"].into_iter().find_map(spawn::find).ok_or_else(|| {
            stop::missing("Python 3 is not installed: `--peers` needs it, with its module venv")
        })?;
        Run::new(system).args(["-m", "venv"]).arg(&folder).run()?;
    }
    for (name, packages) in PEERS {
        // A mark for what is complete: asking pip takes seconds, and a network.
        let mark = folder.join(format!("{name}.installed"));
        let there = fs::read_to_string(&mark).unwrap_or_default() == packages.join("\n");
        if there || !peers.iter().any(|peer| peer == name) {
            continue;
        }
        let pip = Run::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages);
        pip.run().with_context(|| format!("{} could not be installed", packages.join(", ")))?;
        fs::write(&mark, packages.join("\n"))
            .with_context(|| format!("cannot write {}", mark.display()))?;
    }
    Ok(python)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_peer_has_its_script() {
        for (name, _) in PEERS {
            assert!(script(name).is_file(), "{name}");
        }
    }
}
