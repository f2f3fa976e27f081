//! What the measured speed is held against.

use super::results::{OURS, Results};
use crate::figure::number::{exact, short};

/// The network that is trained on MNIST: inputs, hidden units, outputs.
const NETWORK: [f64; 3] = [784.0, 100.0, 10.0];

/// Images of the training set.
const IMAGES: f64 = 60_000.0;

/// A number that should lie on one side of a bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) what: String,
    pub(super) measured: f64,
    bound: f64,
    at_most: bool,
}

impl Claim {
    pub(super) fn is_met(&self) -> bool {
        if self.at_most { self.measured <= self.bound } else { self.measured >= self.bound }
    }

    pub(super) fn bound(&self) -> String {
        format!("{} {}", if self.at_most { "≤" } else { "≥" }, exact(self.bound))
    }

    pub(super) fn measured(&self) -> String {
        short(self.measured)
    }
}

/// Claims about what was measured; those whose programs were not there are absent.
pub(super) fn claims(results: &Results) -> Vec<Claim> {
    let mut list = List(Vec::new());
    against_peers(results, &mut list);
    against_limits(results, &mut list);
    between_schemes(results, &mut list);
    let whole = results.programs.iter().find(|measured| measured.program == OURS);
    let seconds = whole.and_then(|ours| ours.whole.as_ref()).map(super::results::Series::wall);
    list.at_most("one epoch as a process, seconds", seconds, 0.4);
    list.at_most("its memory, MiB", whole.and_then(|ours| ours.whole_mib), 110.0);
    list.0
}

struct List(Vec<Claim>);

impl List {
    fn add(&mut self, what: &str, measured: Option<f64>, bound: f64, at_most: bool) {
        if let Some(measured) = measured {
            self.0.push(Claim { what: what.into(), measured, bound, at_most });
        }
    }

    fn at_most(&mut self, what: &str, measured: Option<f64>, bound: f64) {
        self.add(what, measured, bound, true);
    }

    fn at_least(&mut self, what: &str, measured: Option<f64>, bound: f64) {
        self.add(what, measured, bound, false);
    }
}

/// How many times as long a peer takes.
fn against_peers(results: &Results, list: &mut List) {
    for (peer, case, what, bound) in [
        ("PyTorch", "mnist-sgd-64", "MNIST epoch, SGD, batch 64", 5.5),
        ("PyTorch", "mnist-exp-sav-64", "MNIST epoch, ExpSAV, batch 64", 6.0),
        ("PyTorch", "mnist-sgd-256", "MNIST epoch, SGD, batch 256", 3.0),
        ("PyTorch", "mnist-exp-sav-256", "MNIST epoch, ExpSAV, batch 256", 3.0),
        ("JAX", "mnist-sgd-64", "MNIST epoch, SGD, batch 64", 2.7),
        ("JAX", "mnist-sgd-256", "MNIST epoch, SGD, batch 256", 2.2),
        ("PyTorch", "line-sgd-64", "regression step, SGD", 100.0),
        ("numpy", "line-sgd-64", "regression step, SGD", 20.0),
        ("PyTorch", "mnist-ieq-full-64", "full IEQ step, explicit Jacobian", 300.0),
        ("numpy", "mnist-ieq-full-64", "full IEQ step, structured", 1.0),
    ] {
        let ratio =
            results.wall(peer, case).zip(results.ours(case)).map(|(peer, ours)| peer / ours);
        list.at_least(&format!("{what}: {peer}'s time over ours"), ratio, bound);
    }
}

/// Floating-point operations of an epoch with every entry of the images.
pub(super) fn dense_operations() -> f64 {
    let [d, m, k] = NETWORK;
    IMAGES * (4.0 * d * m + 6.0 * k * m)
}

/// The same with the entries that are not zero, and updates in batches of 64.
pub(super) fn sparse_operations(entries: f64) -> f64 {
    let [d, m, k] = NETWORK;
    let updates = (IMAGES / 64.0).ceil() * 2.0 * (d + k + 1.0) * m;
    4.0 * entries * m + IMAGES * 6.0 * k * m + updates
}

/// Bytes of weights that the forward pass of an epoch reads.
pub(super) fn bytes_of_weights(entries: f64) -> f64 {
    entries * NETWORK[1] * 4.0
}

/// The epoch against what the processor can do at most with the widest registers that it has.
fn against_limits(results: &Results, list: &mut List) {
    let epoch = results.ours("mnist-sgd-64");
    let pair = results.only("apart-512").or(results.only("apart-256"));
    let share = epoch.zip(pair).map(|(epoch, pair)| epoch / (pair / 2.0));
    let dense = share.map(|operations| operations / dense_operations());
    list.at_most("MNIST epoch over the limit of dense arithmetic", dense, 1.0);
    let sparse = share.map(|operations| operations / sparse_operations(results.entries as f64));
    list.at_most("MNIST epoch over the limit of sparse arithmetic", sparse, 3.0);
    let step = results.ours("mnist-ieq-full-64").map(|step| 1e3 * step);
    list.at_most("full IEQ step, milliseconds", step, 3.0);
}

fn between_schemes(results: &Results, list: &mut List) {
    for batch in [64, 256] {
        let of = |method: &str| results.ours(&format!("mnist-{method}-{batch}"));
        let sgd = of("sgd");
        for (method, name) in [("sav", "SAV"), ("exp-sav", "ExpSAV")] {
            let ratio = of(method).zip(sgd).map(|(time, sgd)| time / sgd);
            list.at_most(&format!("MNIST epoch, {name} over SGD, batch {batch}"), ratio, 1.08);
        }
        let more = of("relaxed-sav").zip(of("sav")).map(|(relaxed, plain)| relaxed - plain);
        let passes = more.zip(of("forward")).map(|(more, forward)| more / forward);
        let what = format!("relaxed SAV beyond SAV, in forward passes, batch {batch}");
        list.at_most(&what, passes, 1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::{Measured, Series};

    fn measured(program: &str, cases: &[(&str, f64)]) -> Measured {
        let series = |&(case, wall): &(&str, f64)| Series {
            case: case.into(),
            wall_s: vec![wall],
            cpu_s: vec![wall],
        };
        Measured {
            program: program.into(),
            version: "1".into(),
            start_s: 0.0,
            peak_mib: 1.0,
            whole: None,
            whole_mib: None,
            cases: cases.iter().map(series).collect(),
        }
    }

    #[test]
    fn claims_compare_like_with_like_and_leave_out_what_is_not_known() {
        let programs = vec![
            measured(OURS, &[("mnist-sgd-64", 0.1), ("mnist-sav-64", 0.11)]),
            measured("PyTorch", &[("mnist-sgd-64", 0.6)]),
            measured("machine", &[("apart-256", 4e-11), ("apart-512", 2e-11)]),
        ];
        let mut results = Results::here("2026-01-01".into(), 1, programs);
        results.entries = 9_000_000;
        let claims = claims(&results);
        let shown: Vec<_> =
            claims.iter().map(|c| (c.what.as_str(), c.measured(), c.is_met())).collect();
        assert_eq!(
            shown,
            [
                ("MNIST epoch, SGD, batch 64: PyTorch's time over ours", "6.00".into(), true),
                ("MNIST epoch over the limit of dense arithmetic", "0.521".into(), true),
                ("MNIST epoch over the limit of sparse arithmetic", "2.43".into(), true),
                ("MNIST epoch, SAV over SGD, batch 64", "1.10".into(), false),
            ]
        );
    }
}
