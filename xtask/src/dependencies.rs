//! Which crate may use which: the arrows of ARCHITECTURE.md, and the licences of all.
//!
//! cargo's own `tree` answers, with every feature and every target switched on.

use anyhow::{Result, bail};

use crate::licence;
use crate::spawn::Run;

/// What a crate of this workspace may use.
struct Rule {
    package: &'static str,
    /// The kinds of dependency, and the target, for which the rule holds.
    edges: &'static str,
    target: &'static str,
    /// Its own dependencies are among these, if there is a list.
    only: Option<&'static [&'static str]>,
    /// Not even through another crate.
    never: &'static [&'static str],
    reason: &'static str,
}

const ALL_EDGES: &str = "normal,build,dev";
const LINKED: &str = "normal,build";

const RULES: [Rule; 6] = [
    Rule {
        package: "gradflow-core",
        edges: LINKED,
        target: "all",
        only: Some(&["heapless", "libm", "micromath", "rand_core"]),
        never: &[],
        reason: "the core allocates nothing and does no I/O",
    },
    Rule {
        package: "gradflow-std",
        edges: ALL_EDGES,
        target: "all",
        only: None,
        never: &["gradflow-wasm", "gradflow-mcu"],
        reason: "adapters never see each other",
    },
    Rule {
        package: "gradflow-wasm",
        edges: ALL_EDGES,
        target: "all",
        only: None,
        never: &["gradflow-std", "gradflow-mcu"],
        reason: "adapters never see each other",
    },
    Rule {
        package: "gradflow-wasm",
        edges: LINKED,
        target: "wasm32-unknown-unknown",
        only: None,
        never: &["getrandom", "web-sys"],
        reason: "the module has no randomness of its own and does no DOM work",
    },
    Rule {
        package: "gradflow-mcu",
        edges: ALL_EDGES,
        target: "all",
        only: None,
        never: &["gradflow-std", "gradflow-wasm"],
        reason: "adapters never see each other",
    },
    Rule {
        package: "xtask",
        edges: ALL_EDGES,
        target: "all",
        only: None,
        never: &["gradflow-core", "gradflow-std", "gradflow-wasm", "gradflow-mcu"],
        reason: "xtask starts other programs and links no gradflow crate",
    },
];

/// One line of `cargo tree`.
#[derive(Debug, PartialEq)]
struct Package<'a> {
    depth: usize,
    name: &'a str,
    version: &'a str,
    licence: &'a str,
}

/// Checks all rules and all licences; lists every breach.
pub(crate) fn check() -> Result<()> {
    let mut breaches = Vec::new();
    for rule in &RULES {
        let tree = tree(&["--package", rule.package], rule.edges, rule.target)?;
        breaches.extend(broken(rule, &parse(&tree)?));
    }
    breaches.extend(unlicensed(&parse(&tree(&["--workspace"], ALL_EDGES, "all")?)?));
    if breaches.is_empty() {
        return Ok(());
    }
    bail!("dependency rules are broken:\n  {}", breaches.join("\n  "))
}

fn tree(packages: &[&str], edges: &str, target: &str) -> Result<String> {
    Run::cargo("tree")
        .args(["--locked", "--all-features", "--prefix", "depth"])
        .args(["--format", " {p} |{l}|"])
        .args(["--edges", edges, "--target", target])
        .args(packages)
        .text()
}

/// Reads lines such as `2 libm v0.2.16 |MIT|`.
fn parse(tree: &str) -> Result<Vec<Package<'_>>> {
    tree.lines().filter(|line| !line.is_empty()).map(parse_line).collect()
}

fn parse_line(line: &str) -> Result<Package<'_>> {
    let fields = || {
        let mut parts = line.split('|');
        let mut words = parts.next()?.split_whitespace();
        let depth = words.next()?.parse().ok()?;
        Some(Package { depth, name: words.next()?, version: words.next()?, licence: parts.next()? })
    };
    match fields() {
        Some(package) => Ok(package),
        None => bail!("`cargo tree` wrote a line that is not understood: {line}"),
    }
}

fn broken(rule: &Rule, tree: &[Package<'_>]) -> Vec<String> {
    let Rule { package, reason, .. } = rule;
    let direct = tree.iter().filter(|used| used.depth == 1);
    let unlisted = direct.filter(|used| rule.only.is_some_and(|only| !only.contains(&used.name)));
    let banned = tree.iter().filter(|used| rule.never.contains(&used.name));
    let mut breaches: Vec<String> = unlisted
        .chain(banned)
        .map(|used| format!("{package} uses {}, but {reason}", used.name))
        .collect();
    breaches.dedup();
    breaches
}

fn unlicensed(tree: &[Package<'_>]) -> Vec<String> {
    let mut breaches: Vec<String> = tree
        .iter()
        .filter(|package| !licence::allowed(package.licence))
        .map(|Package { name, version, licence, .. }| {
            format!("{name} {version} has the licence `{licence}`, which is not on the list")
        })
        .collect();
    breaches.sort();
    breaches.dedup();
    breaches
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "0 gradflow-core v0.1.0 (/home/me/gradflow-core) |MIT|\n\
        1 libm v0.2.16 |MIT|\n1 heapless v0.9.4 |MIT OR Apache-2.0|\n\
        2 gpl v1.0.0 |GPL-3.0-only|\n2 hash32 v1.0.0 (proc-macro) |MIT| (*)\n\n";

    #[test]
    fn lines_are_read_with_their_depth_and_licence() {
        let tree = parse(TREE).unwrap();
        let expected = Package { depth: 2, name: "hash32", version: "v1.0.0", licence: "MIT" };
        assert_eq!(tree[4], expected);
        assert!(parse("libm v0.2.16").is_err());
    }

    #[test]
    fn only_direct_dependencies_must_be_on_the_list() {
        let tree = parse(TREE).unwrap();
        let rule = |only, never| Rule {
            package: "gradflow-core",
            edges: LINKED,
            target: "all",
            only,
            never,
            reason: "of the rule",
        };
        assert!(broken(&rule(Some(&["libm", "heapless"]), &[]), &tree).is_empty());
        let unlisted = broken(&rule(Some(&["libm"]), &[]), &tree);
        assert_eq!(unlisted, ["gradflow-core uses heapless, but of the rule"]);
        let banned = broken(&rule(None, &["hash32"]), &tree);
        assert_eq!(banned, ["gradflow-core uses hash32, but of the rule"]);
    }

    #[test]
    fn every_licence_in_the_tree_is_judged() {
        let breaches = unlicensed(&parse(TREE).unwrap());
        assert_eq!(breaches.len(), 1);
        assert!(breaches[0].contains("gpl v1.0.0") && breaches[0].contains("GPL-3.0-only"));
    }
}
