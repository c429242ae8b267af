//! Why tables and bytes are refused. No message carries a value that was encrypted.

use super::wire::Kind;

/// What is wrong with a tier table, or with what it is used for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// No tier.
    #[error("the table has no tier: it needs at least one, from unit 0")]
    Empty,
    /// More tiers than are evaluated.
    #[error("the table has {found} tiers, at most {limit} are evaluated")]
    TooManyTiers {
        /// Tiers of the table.
        found: usize,
        /// The limit.
        limit: usize,
    },
    /// Usage below the first boundary would have no price.
    #[error("the first tier begins at unit {found}, but it must begin at unit 0: units below it would have no price")]
    FirstBoundary {
        /// Where it begins.
        found: u64,
    },
    /// Two tiers begin at the same unit.
    #[error("tiers {previous} and {tier} (counted from 0) both begin at unit {boundary}")]
    Repeated {
        /// Number of the earlier tier.
        previous: usize,
        /// Number of the later tier.
        tier: usize,
        /// Where both begin.
        boundary: u64,
    },
    /// A tier begins below the one before it.
    #[error(
        "tier {tier} (counted from 0) begins at unit {found}, below tier {previous}, which begins at unit {boundary}"
    )]
    NotAscending {
        /// Number of the tier.
        tier: usize,
        /// Where it begins.
        found: u64,
        /// Number of the tier before it.
        previous: usize,
        /// Where the tier before it begins.
        boundary: u64,
    },
    /// A tier that no usage reaches.
    #[error("tier {tier} (counted from 0) begins at unit {found}, but usage of {bits} bits ends at unit {largest}")]
    BoundaryOutsideWidth {
        /// Number of the tier.
        tier: usize,
        /// Where it begins.
        found: u64,
        /// Width of usage in bits.
        bits: u32,
        /// The largest usage of that width.
        largest: u64,
    },
    /// Every price is zero.
    #[error("every price of the table is 0: there is nothing to compute")]
    Free,
    /// The largest total would wrap.
    #[error(
        "usage of {usage_bits} bits can cost {largest} minor units, but a total has {total_bits} bits: lower the prices or the width"
    )]
    TotalOverflow {
        /// Width of usage in bits.
        usage_bits: u32,
        /// The largest total.
        largest: u128,
        /// Width of a total in bits.
        total_bits: u32,
    },
    /// Usage that its width cannot hold.
    #[error("the usage has more than {bits} bits, the largest is {largest} units")]
    UsageOutsideWidth {
        /// Width of usage in bits.
        bits: u32,
        /// The largest usage of that width.
        largest: u64,
    },
    /// A ciphertext of another width than the table's.
    #[error("the usage was encrypted with {found} bits, but the table is for {expected} bits")]
    UsageWidth {
        /// Width of the table.
        expected: u32,
        /// Width of the ciphertext.
        found: u32,
    },
    /// A width of encrypted prices that is not offered.
    #[error("prices of {found} bits are not offered: the width is an even number from 2 to {limit}")]
    PriceWidth {
        /// The width asked for.
        found: u32,
        /// The largest width.
        limit: u32,
    },
    /// A price that its width cannot hold. Which one and how large is for the holder of the table alone.
    #[error("a price of the table has more than {bits} bits")]
    PriceOutsideWidth {
        /// Width of prices in bits.
        bits: u32,
    },
    /// The ciphertext was not made by this key's arithmetic.
    #[error("the ciphertext cannot be expanded: {reason}")]
    Expansion {
        /// What the arithmetic says.
        reason: String,
    },
}

/// What is wrong with the content of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// The content cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(String),
    /// It can be read, but it belongs to other parameters.
    #[error("belongs to other parameters than V1_8_PARAM_MESSAGE_2_CARRY_2_KS_PBS_TUNIFORM_2M128")]
    OtherParameters,
    /// A width that is not offered.
    #[error("is for usage of {0} bits, offered are 32 and 64")]
    Width(u32),
    /// A number of blocks that does not fit.
    #[error("has {found} blocks of two bits, expected were {expected}")]
    Blocks {
        /// Blocks that fit.
        expected: usize,
        /// Blocks that the message announces.
        found: usize,
    },
    /// A shape that no table has.
    #[error("announces {tiers} tiers with prices of {price_bits} bits")]
    Shape {
        /// Tiers.
        tiers: usize,
        /// Width of prices in bits.
        price_bits: u32,
    },
}

/// Why bytes are refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// The bytes end too early.
    #[error("{needed} bytes are needed, but there are only {found}")]
    Truncated {
        /// Bytes that the message asks for.
        needed: usize,
        /// Bytes that there are.
        found: usize,
    },
    /// There are bytes after the message.
    #[error("the message ends after {expected} bytes, but {found} were given")]
    TrailingBytes {
        /// Length of the message.
        expected: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// More bytes than such a message has.
    #[error("a {kind} has at most {limit} bytes, but {found} were given")]
    Oversized {
        /// What was to be read.
        kind: Kind,
        /// The limit.
        limit: usize,
        /// Bytes that were given.
        found: usize,
    },
    /// The first four bytes are not `BRTF`.
    #[error("these bytes are no message of this bridge: they do not begin with BRTF")]
    Magic,
    /// Another version of the format.
    #[error("format version {found} is not supported, only version {supported}")]
    Version {
        /// The version of the bytes.
        found: u8,
        /// The version that is read.
        supported: u8,
    },
    /// A message of another kind.
    #[error("expected a {expected}, but the message has kind {found}")]
    Kind {
        /// What was to be read.
        expected: Kind,
        /// The number in the header.
        found: u8,
    },
    /// The content.
    #[error("the {kind} {fault}")]
    Content {
        /// What was to be read.
        kind: Kind,
        /// What is wrong with it.
        fault: Fault,
    },
    /// An object that cannot be written.
    #[error("the {kind} cannot be written: {reason}")]
    Encoding {
        /// What was to be written.
        kind: Kind,
        /// What the encoder says.
        reason: String,
    },
}
