//! Values of a spec that are a word or something else.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// How many samples a step takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BatchSize {
    /// All of them, in their order.
    Full,
    /// This many, drawn without replacement.
    Of(usize),
}

impl Default for BatchSize {
    fn default() -> Self {
        Self::Of(64)
    }
}

impl BatchSize {
    /// Samples a step for a set of this size.
    #[must_use]
    pub const fn of(self, samples: usize) -> usize {
        match self {
            Self::Full => samples,
            Self::Of(batch) => batch,
        }
    }
}

impl FromStr for BatchSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            _ if text == "full" => Ok(Self::Full),
            Ok(0) => Err("a batch needs at least one sample".to_owned()),
            Ok(batch) => Ok(Self::Of(batch)),
            Err(_) => Err("expected a number of samples, or full".to_owned()),
        }
    }
}

impl fmt::Display for BatchSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("full"),
            Self::Of(batch) => write!(f, "{batch}"),
        }
    }
}

impl Serialize for BatchSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Full => serializer.serialize_str("full"),
            Self::Of(batch) => serializer.serialize_u64(*batch as u64),
        }
    }
}

impl<'de> Deserialize<'de> for BatchSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Word(String),
        }
        let text = match Either::deserialize(deserializer)? {
            Either::Number(number) => number.to_string(),
            Either::Word(word) => word,
        };
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Where initial weights come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InitChoice {
    /// [`gradflow_core::network::Init::Kaiming`]
    Kaiming,
    /// [`gradflow_core::network::Init::Ntk`]
    Ntk,
    /// A safetensors file.
    File(PathBuf),
}

impl FromStr for InitChoice {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            "kaiming" => Self::Kaiming,
            "ntk" => Self::Ntk,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for InitChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kaiming => f.write_str("kaiming"),
            Self::Ntk => f.write_str("ntk"),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

impl Serialize for InitChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for InitChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
