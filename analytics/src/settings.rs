//! What a panel collects: public settings that everybody who contributes to it, computes on it or opens it has to agree on.

use blindrelay_engine::wire::content_digest;
use serde::{Deserialize, Serialize};

use crate::error::SettingsError;

/// The largest limit that may be declared for a contribution.
pub const MAX_LIMIT: f64 = 1_048_576.0;
/// The largest number of contributions that may be declared.
pub const MAX_CONTRIBUTIONS: u64 = 1 << 32;
/// Most bins of a histogram.
pub const MAX_BINS: usize = 64;

/// The settings of a panel, written as JSON.
///
/// ```
/// use blindrelay_analytics::Settings;
/// let text = r#"{
///     "collect": { "durations": { "limit_seconds": 14400, "edges": [0, 300, 900, 3600] } },
///     "minimum_contributions": 20
/// }"#;
/// let settings = Settings::from_json(text)?;
/// assert_eq!(settings.maximum_contributions, 1_000_000);
/// # Ok::<(), blindrelay_analytics::SettingsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The statistic, and the range of what is contributed to it.
    pub collect: Collect,
    /// No report leaves before there are so many contributions.
    pub minimum_contributions: u64,
    /// No contribution is taken beyond so many: what the sums have room for.
    #[serde(default = "one_million")]
    pub maximum_contributions: u64,
}

const fn one_million() -> u64 {
    1_000_000
}

const fn one() -> usize {
    1
}

/// The statistics. The limits are part of every ciphertext's public bounds; nothing outside them is packed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", deny_unknown_fields)]
pub enum Collect {
    /// Attention scores from 0 to 1: mean and variance of every slot and of all of them.
    Attention {
        /// How many scores a contribution has at most: one for each participant, or one for each stretch of time.
        slots: usize,
    },
    /// Seconds that each participant spoke: total, shares, and how many participants spoke how long.
    Speaking {
        /// How many participants there are.
        participants: usize,
        /// The most seconds of one participant in one contribution.
        limit_seconds: f64,
        /// Lower edges of the histogram's bins in seconds, from 0 on; the last bin is open.
        edges: Vec<f64>,
    },
    /// Lengths of calls: mean, variance, histogram.
    Durations {
        /// The longest call in seconds.
        limit_seconds: f64,
        /// Lower edges of the histogram's bins in seconds, from 0 on; the last bin is open.
        edges: Vec<f64>,
        /// How many calls a contribution has at most.
        #[serde(default = "one")]
        calls: usize,
    },
    /// Who was there when: concurrent participants over time, and their peak. A contribution is one participant.
    Concurrency {
        /// How many stretches of time there are.
        buckets: usize,
        /// How long each is.
        bucket_seconds: f64,
    },
    /// Two series: Pearson's correlation over all pairs of all contributions.
    Correlation {
        /// How many pairs a contribution has at most.
        #[serde(default = "one")]
        pairs: usize,
        /// The largest magnitude of the first series.
        x_limit: f64,
        /// The largest magnitude of the second series.
        y_limit: f64,
    },
}

impl Collect {
    /// The statistic's name in the settings.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Attention { .. } => "attention",
            Self::Speaking { .. } => "speaking",
            Self::Durations { .. } => "durations",
            Self::Concurrency { .. } => "concurrency",
            Self::Correlation { .. } => "correlation",
        }
    }

    /// How many values a contribution has, or, where fewer are allowed, may have.
    pub const fn width(&self) -> usize {
        match self {
            Self::Attention { slots: width }
            | Self::Speaking { participants: width, .. }
            | Self::Durations { calls: width, .. }
            | Self::Concurrency { buckets: width, .. }
            | Self::Correlation { pairs: width, .. } => *width,
        }
    }
}

impl Settings {
    /// From JSON. Refused where a field is missing, unknown or outside its range.
    pub fn from_json(text: &str) -> Result<Self, SettingsError> {
        let settings: Self =
            serde_json::from_str(text).map_err(|error| SettingsError::Json { reason: error.to_string() })?;
        settings.validate()?;
        Ok(settings)
    }

    /// Refuses numbers outside their ranges. Whether the slots suffice and how much precision is left depends on the parameters: [`crate::Plan::new`].
    pub fn validate(&self) -> Result<(), SettingsError> {
        integer("maximum_contributions", self.maximum_contributions, 1, MAX_CONTRIBUTIONS)?;
        integer("minimum_contributions", self.minimum_contributions, 1, self.maximum_contributions)?;
        integer("the number of values in a contribution", self.collect.width() as u64, 1, 1 << 15)?;
        match &self.collect {
            Collect::Attention { .. } => Ok(()),
            Collect::Speaking { limit_seconds, edges, .. } | Collect::Durations { limit_seconds, edges, .. } => {
                within("limit_seconds", *limit_seconds)?;
                check_edges(edges)
            }
            Collect::Concurrency { bucket_seconds, .. } => within("bucket_seconds", *bucket_seconds),
            Collect::Correlation { x_limit, y_limit, .. } => {
                within("x_limit", *x_limit)?;
                within("y_limit", *y_limit)
            }
        }
    }

    /// The one JSON text of these settings that is hashed: fields in their order, defaults written out, no white space.
    pub fn to_json(&self) -> String {
        // Structs of numbers and short names always serialise.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// SHA-256 of [`Settings::to_json`]: part of every message, so that none is read under other settings.
    pub fn digest(&self) -> [u8; 32] {
        content_digest(self.to_json().as_bytes())
    }
}

fn integer(name: &'static str, found: u64, least: u64, most: u64) -> Result<(), SettingsError> {
    if (least..=most).contains(&found) {
        return Ok(());
    }
    Err(SettingsError::Number { name, found: found as f64, least: least as f64, most: most as f64 })
}

/// A limit on magnitudes: positive, and neither so small nor so large that sums leave the range of the scales.
fn within(name: &'static str, found: f64) -> Result<(), SettingsError> {
    let (least, most) = (1.0 / MAX_LIMIT, MAX_LIMIT);
    if found >= least && found <= most { Ok(()) } else { Err(SettingsError::Number { name, found, least, most }) }
}

fn check_edges(edges: &[f64]) -> Result<(), SettingsError> {
    if edges.first() != Some(&0.0) {
        return Err(SettingsError::Edges { index: 0 });
    }
    if edges.len() > MAX_BINS {
        return Err(SettingsError::Edges { index: MAX_BINS });
    }
    let ascends = |(low, high): (&f64, &f64)| low < high && high.is_finite();
    match edges.iter().zip(edges.iter().skip(1)).position(|pair| !ascends(pair)) {
        Some(index) => Err(SettingsError::Edges { index: index + 1 }),
        None => Ok(()),
    }
}

/// The bin of a histogram with these lower edges that a value of at least 0 falls into.
pub fn bin(edges: &[f64], value: f64) -> usize {
    edges.iter().skip(1).take_while(|&&edge| value >= edge).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(collect: &str) -> Result<Settings, SettingsError> {
        Settings::from_json(&format!(r#"{{"collect": {collect}, "minimum_contributions": 5}}"#))
    }

    #[test]
    fn defaults_are_written_out_in_the_text_that_is_hashed() {
        let settings = parse(r#"{"correlation": {"x_limit": 1, "y_limit": 2.5}}"#).unwrap();
        let text = r#"{"collect":{"correlation":{"pairs":1,"x_limit":1.0,"y_limit":2.5}},"minimum_contributions":5,"maximum_contributions":1000000}"#;
        assert_eq!(settings.to_json(), text);
        assert_eq!(Settings::from_json(text).unwrap(), settings);
        assert_ne!(parse(r#"{"attention": {"slots": 5}}"#).unwrap().digest(), settings.digest());
    }

    #[test]
    fn settings_outside_their_ranges_are_refused() {
        let refused = [
            ("5", "expected value"),
            (r#"{"mood": {}}"#, "unknown variant"),
            (r#"{"attention": {}}"#, "missing field"),
            (r#"{"attention": {"slots": 3, "slot": 1}}"#, "unknown field"),
            (r#"{"attention": {"slots": 0}}"#, "the number of values in a contribution is 0"),
            (r#"{"durations": {"limit_seconds": 0, "edges": [0]}}"#, "limit_seconds is 0"),
            (r#"{"durations": {"limit_seconds": 1e9, "edges": [0]}}"#, "limit_seconds is 1000000000"),
            (r#"{"durations": {"limit_seconds": 1e400, "edges": [0]}}"#, "out of range"),
            (r#"{"durations": {"limit_seconds": 9, "edges": []}}"#, "number 0 does not fit"),
            (r#"{"durations": {"limit_seconds": 9, "edges": [1, 2]}}"#, "number 0 does not fit"),
            (r#"{"durations": {"limit_seconds": 9, "edges": [0, 2, 2]}}"#, "number 2 does not fit"),
            (r#"{"concurrency": {"buckets": 4, "bucket_seconds": -1}}"#, "bucket_seconds is -1"),
            (r#"{"correlation": {"x_limit": 1, "y_limit": -2}}"#, "y_limit is -2"),
        ];
        for (collect, expected) in refused {
            let error = parse(collect).unwrap_err().to_string();
            assert!(error.contains(expected), "{collect}: {error}");
        }
        let attention = parse(r#"{"attention": {"slots": 1}}"#).unwrap();
        let none = Settings { minimum_contributions: 0, ..attention.clone() };
        let above = Settings { minimum_contributions: 7, maximum_contributions: 6, ..attention.clone() };
        let many = Settings { maximum_contributions: MAX_CONTRIBUTIONS + 1, ..attention };
        for (settings, expected) in [
            (none, "minimum_contributions is 0, and may be from 1"),
            (above, "minimum_contributions is 7, and may be from 1 to 6"),
            (many, "maximum_contributions is 4294967297"),
        ] {
            let error = settings.validate().unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let edges: Vec<f64> = (0..=MAX_BINS).map(|edge| edge as f64).collect();
        assert_eq!(check_edges(&edges), Err(SettingsError::Edges { index: MAX_BINS }));
    }

    #[test]
    fn values_on_an_edge_belong_above_it() {
        let edges = [0.0, 300.0, 900.0];
        assert_eq!([0.0, 299.9, 300.0, 899.9, 900.0, 1e9].map(|value| bin(&edges, value)), [0, 0, 1, 1, 2, 2]);
        assert_eq!(bin(&[0.0], 17.0), 0);
    }
}
