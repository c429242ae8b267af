//! The subcommands, one a file.

pub(crate) mod bench;
pub(crate) mod completions;
pub(crate) mod demo;
pub(crate) mod enroll;
pub(crate) mod inspect;
pub(crate) mod keygen;
pub(crate) mod load;
pub(crate) mod matching;
pub(crate) mod params;
pub(crate) mod remove;
pub(crate) mod room;
pub(crate) mod serve;
