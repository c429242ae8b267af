//! What a run has measured, and what it should have been.

use std::fmt;
use std::time::Duration;

use serde_json::{Value, json};

/// What a figure should be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// Exactly so much.
    Is(f64),
    /// Less.
    Below(f64),
    /// At least so much.
    AtLeast(f64),
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::Is(goal) => value.to_bits() == goal.to_bits(),
            Self::Below(goal) => value < goal,
            Self::AtLeast(goal) => value >= goal,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(goal) => write!(f, "{goal}"),
            Self::Below(goal) => write!(f, "below {goal}"),
            Self::AtLeast(goal) => write!(f, "at least {goal}"),
        }
    }
}

/// A number with its name and unit.
#[derive(Clone, Debug)]
pub struct Figure {
    name: &'static str,
    value: f64,
    unit: &'static str,
    goal: Option<Goal>,
    /// Whether it depends on how fast the machine is and what else it does.
    timed: bool,
}

/// All figures of a run.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    figures: Vec<Figure>,
    remarks: Vec<String>,
}

impl Figures {
    /// A figure that is told and nothing more.
    pub fn tell(&mut self, name: &'static str, value: f64, unit: &'static str) {
        self.figures.push(Figure { name, value, unit, goal: None, timed: true });
    }

    /// A count that is the same on every machine.
    pub fn count(&mut self, name: &'static str, value: u64, goal: Goal) {
        self.figures.push(Figure { name, value: value as f64, unit: "", goal: Some(goal), timed: false });
    }

    /// A figure that says something on a quiet machine only.
    pub fn measure(&mut self, name: &'static str, value: f64, unit: &'static str, goal: Goal) {
        self.figures.push(Figure { name, value, unit, goal: Some(goal), timed: true });
    }

    /// The median and what 99 and 99.9 of 100 do not exceed, in milliseconds, as they are told.
    pub fn tell_times(&mut self, names: [&'static str; 3], times: &mut [Duration]) {
        times.sort_unstable();
        for (name, thousandths) in names.into_iter().zip([500, 990, 999]) {
            self.tell(name, millis(quantile(times, thousandths)), "ms");
        }
    }

    /// A sentence beside the figures.
    pub fn remark(&mut self, text: impl Into<String>) {
        self.remarks.push(text.into());
    }

    /// Adds the figures of a further part of the run.
    pub fn extend(&mut self, others: Self) {
        self.figures.extend(others.figures);
        self.remarks.extend(others.remarks);
    }

    /// The value of a figure.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|figure| figure.name == name).map(|figure| figure.value)
    }

    /// The figures that missed their goals, each in a sentence; without those that depend on the machine where `timed` is false.
    pub fn missed(&self, timed: bool) -> Vec<String> {
        let missed =
            |figure: &&Figure| (timed || !figure.timed) && figure.goal.is_some_and(|goal| !goal.is_met(figure.value));
        self.figures.iter().filter(missed).map(Figure::to_string).collect()
    }

    /// All of it for programs.
    pub fn to_json(&self, run: &str) -> Value {
        let figures: Vec<Value> = self.figures.iter().map(Figure::to_json).collect();
        json!({ "run": run, "figures": figures, "remarks": self.remarks, "missed": self.missed(true) })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for remark in &self.remarks {
            writeln!(f, "{remark}")?;
        }
        let figures: Vec<String> = self.figures.iter().map(Figure::to_string).collect();
        f.write_str(&figures.join("; "))
    }
}

impl Figure {
    fn to_json(&self) -> Value {
        let goal = self.goal.map(|goal| goal.to_string());
        let met = self.goal.map(|goal| goal.is_met(self.value));
        json!({ "name": self.name, "value": self.value, "unit": self.unit, "goal": goal, "met": met })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = if self.value.fract().abs() < f64::EPSILON { 0 } else { 2 };
        write!(f, "{} {:.digits$}", self.name, self.value)?;
        if !self.unit.is_empty() {
            write!(f, " {}", self.unit)?;
        }
        match self.goal {
            Some(goal) if goal.is_met(self.value) => write!(f, " (goal: {goal}, met)"),
            Some(goal) => write!(f, " (goal: {goal}, MISSED)"),
            None => Ok(()),
        }
    }
}

/// The smallest of sorted times that so many of a thousand do not exceed; zero where there are none.
pub fn quantile(sorted: &[Duration], thousandths: usize) -> Duration {
    let rank = (sorted.len() * thousandths).div_ceil(1000).saturating_sub(1);
    sorted.get(rank).copied().unwrap_or_default()
}

/// A time in milliseconds.
pub fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missed_goal_is_told_and_a_timed_one_only_where_it_is_asked_for() {
        let mut figures = Figures::default();
        figures.count("failed", 0, Goal::Is(0.0));
        figures.measure("p99", 60.0, "ms", Goal::Below(50.0));
        assert!(figures.missed(false).is_empty());
        assert_eq!(figures.missed(true), ["p99 60 ms (goal: below 50, MISSED)"]);
        figures.count("lost", 1, Goal::Is(0.0));
        assert_eq!(figures.missed(false).len(), 1);
    }

    #[test]
    fn quantiles_are_of_the_times_that_were_seen() {
        let times: Vec<Duration> = (1..=1000).map(Duration::from_millis).collect();
        assert_eq!(quantile(&times, 990), Duration::from_millis(990));
        assert_eq!((quantile(&times[..3], 500), quantile(&[], 500)), (Duration::from_millis(2), Duration::ZERO));
    }
}
