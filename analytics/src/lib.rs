//! Encrypted statistics of meetings.
//!
//! Many contributors encrypt their numbers under one host's public key. A service adds them up, and their squares and products where a statistic needs them,
//! without reading any; its storage does not grow with what was added. From a declared number of contributions on it hands out the sums, and the host opens means,
//! variances, shares, histograms, concurrency and correlation, every figure with the bound on its error.
//!
//! | step | who | code |
//! |---|---|---|
//! | settings | host, public | [`Settings`], [`Plan`] |
//! | contribute | anybody with the host's public key | [`Contribution`] |
//! | add, merge, report | service | [`Statistics`], [`Sums`] |
//! | open | host | [`Answer`], [`Findings`], [`Report`] |
//!
//! ```
//! use blindrelay_analytics::{Answer, Contribution, Findings, Plan, Report, Settings, Slots, Statistics};
//! use blindrelay_engine::Backend;
//! use blindrelay_engine::ckks::Context;
//! use blindrelay_engine::operator::{Accumulation, Accumulator};
//! use blindrelay_engine::params::{Parameters, STATS_8192, preset};
//! use blindrelay_keyholder::{KeyRequirements, SecretKey};
//!
//! // The host: a key, and settings for everybody.
//! let parameters = Parameters::new(preset(STATS_8192)?, Backend::detect())?;
//! let context = Context::new(&parameters)?;
//! let key = SecretKey::generate(&context)?;
//! let settings = r#"{ "collect": { "attention": { "slots": 2 } }, "minimum_contributions": 3 }"#;
//! let plan = Plan::new(&Settings::from_json(settings)?, &context)?;
//!
//! // The service: empty sums.
//! let operator = Statistics::new(&context)?;
//! let mut sums = operator.new_accumulator(settings)?;
//!
//! // Contributors: a score for each slot.
//! for scores in [[Some(0.9), None], [Some(0.7), Some(0.2)], [Some(0.8), Some(0.4)]] {
//!     let upload = Contribution::attention(&plan, &scores)?.encrypt(&plan, &key.public_key())?;
//!     sums.append(&upload, None)?;
//! }
//!
//! // The host asks, opens and reports.
//! let keys = key.evaluation_keys(&KeyRequirements::of_card(operator.card(), &parameters));
//! let answer = Answer::from_bytes(&sums.report(&plan.request(&[0; 16])?, Some(&keys))?, &plan)?;
//! let mut opened = Vec::new();
//! for (ciphertext, shape) in answer.sums() {
//!     let slots = key.open(ciphertext, shape)?;
//!     opened.push(Slots { values: slots.values.to_vec(), error_bound: slots.error_bound });
//! }
//! let findings = answer.findings(&plan, &opened)?;
//! if let Findings::Attention { overall, .. } = &findings {
//!     assert!(overall.mean.mean.is_some_and(|mean| mean.admits(3.0 / 5.0) && mean.bound < 1e-6));
//! }
//! let page = Report::new("Weekly call", vec!["Ada".into(), "Grace".into()], &plan, &answer, findings).to_html();
//! assert!(page.contains("Mean attention"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod estimate;
mod evaluate;
mod figures;
mod layout;
mod message;
mod open;
mod pack;
mod page;
mod plan;
mod plot;
pub mod reference;
mod report;
mod sections;
mod settings;
mod text;

pub use error::{AnswerError, ContributionError, SettingsError};
pub use estimate::Estimate;
pub use evaluate::{Statistics, Sums};
pub use figures::{Correlation, Histogram, Mean, Peak, Shares, Variance};
pub use layout::Layout;
pub use open::{Answer, Findings, Slots};
pub use pack::{Contribution, Stay};
pub use plan::{Plan, STATISTICS, STATISTICS_WIDE, card};
pub use report::{Figures, Report};
pub use settings::{Collect, MAX_BINS, MAX_CONTRIBUTIONS, MAX_LIMIT, Settings, bin};
