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
pub use report::Report;
pub use settings::{Collect, MAX_BINS, MAX_CONTRIBUTIONS, MAX_LIMIT, Settings, bin};
