//! The subcommands, one a file.

pub(crate) mod audit;
pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod connect;
pub(crate) mod contribute;
pub(crate) mod demo;
pub(crate) mod enroll;
pub(crate) mod find;
pub(crate) mod inspect;
pub(crate) mod invoice;
pub(crate) mod keygen;
pub(crate) mod load;
pub(crate) mod matching;
pub(crate) mod meter;
pub(crate) mod panel;
pub(crate) mod params;
pub(crate) mod price;
pub(crate) mod public_key;
pub(crate) mod remove;
pub(crate) mod report;
pub(crate) mod room;
pub(crate) mod sample;
pub(crate) mod search;
pub(crate) mod serve;
