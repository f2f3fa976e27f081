//! What is expected of a suite, and whether it was met.

use crate::report::{Expectation, Metrics};
use crate::spec::TaskName;

/// How the seeds of a group become one number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statistic {
    /// The mean.
    Mean,
    /// The median.
    Median,
    /// The largest.
    Worst,
}

/// A bound on a number that a group of runs comes to.
#[derive(Clone, Debug, PartialEq)]
pub struct Goal {
    /// The task.
    pub task: TaskName,
    /// The method's label.
    pub label: String,
    /// Its name in `metrics.json`; `steps to 1e-5` is the first step at which the noiseless error
    /// was that small.
    pub metric: String,
    /// Over the seeds.
    pub statistic: Statistic,
    /// True if the number must be at most the bound, false if at least.
    pub at_most: bool,
    /// The bound.
    pub bound: f64,
    /// Who expects it.
    pub source: &'static str,
}

/// Holds the goals against what was measured.
#[must_use]
pub fn judge(goals: &[Goal], runs: &[Metrics]) -> Vec<Expectation> {
    goals.iter().map(|goal| goal.judge(runs)).collect()
}

impl Goal {
    fn judge(&self, runs: &[Metrics]) -> Expectation {
        let group =
            runs.iter().filter(|run| run.task == self.task.word() && run.label == self.label);
        // A run that has no such number (it diverged, say) misses: it counts as infinitely bad.
        let worst = if self.at_most { f64::INFINITY } else { f64::NEG_INFINITY };
        let values: Vec<f64> = group.map(|run| self.value(run).unwrap_or(worst)).collect();
        let measured = self.statistic(values).filter(|value| value.is_finite());
        let met = measured.is_some_and(|value| {
            if self.at_most { value <= self.bound } else { value >= self.bound }
        });
        Expectation {
            task: self.task.word().to_owned(),
            method: self.label.clone(),
            metric: self.metric.clone(),
            op: if self.at_most { "<=" } else { ">=" }.to_owned(),
            value: self.bound,
            measured,
            met,
            source: self.source.to_owned(),
        }
    }

    fn value(&self, run: &Metrics) -> Option<f64> {
        match self.metric.as_str() {
            "test_loss_clean" => run.test_loss_clean,
            "test_accuracy" => run.test_accuracy,
            metric => {
                let bound = metric.strip_prefix("steps to ")?;
                run.first_reached.get(bound).map(|&step| step as f64)
            }
        }
    }

    fn statistic(&self, mut values: Vec<f64>) -> Option<f64> {
        let count = values.len();
        if count == 0 {
            return None;
        }
        values.sort_by(f64::total_cmp);
        if !self.at_most {
            values.reverse();
        }
        match self.statistic {
            Statistic::Mean => Some(values.iter().sum::<f64>() / count as f64),
            Statistic::Median => values.get(count / 2).copied(),
            Statistic::Worst => values.last().copied(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goal(at_most: bool, bound: f64, statistic: Statistic) -> Goal {
        Goal {
            task: TaskName::Mnist,
            label: "SAV".to_owned(),
            metric: "test_accuracy".to_owned(),
            statistic,
            at_most,
            bound,
            source: "test",
        }
    }

    fn run(accuracy: Option<f64>) -> Metrics {
        Metrics {
            task: "mnist".to_owned(),
            label: "SAV".to_owned(),
            test_accuracy: accuracy,
            ..Metrics::default()
        }
    }

    #[test]
    fn goals_are_met_or_missed() {
        let runs = [run(Some(0.9)), run(Some(0.98)), run(Some(0.97))];
        assert!(goal(false, 0.94, Statistic::Mean).judge(&runs).met);
        assert!(!goal(false, 0.96, Statistic::Mean).judge(&runs).met);
        assert!(goal(false, 0.97, Statistic::Median).judge(&runs).met);
        assert!(!goal(false, 0.91, Statistic::Worst).judge(&runs).met);
        assert!(goal(true, 0.99, Statistic::Worst).judge(&runs).met);
    }

    #[test]
    fn a_run_without_the_number_misses() {
        let runs = [run(Some(0.99)), run(None)];
        for statistic in [Statistic::Mean, Statistic::Worst] {
            let judged = goal(false, 0.5, statistic).judge(&runs);
            assert_eq!((judged.met, judged.measured), (false, None));
        }
        assert!(!goal(false, 0.5, Statistic::Mean).judge(&[]).met);
    }
}
