//! Tables whose boundaries and prices are encrypted too.
//!
//! The service learns the number of tiers and two widths. It computes `price * usage + offset` with the price and offset of the tier in which
//! the usage ends, selected without knowing which it is.

use rayon::prelude::*;
use tfhe::integer::{IntegerCiphertext, RadixCiphertext};
use tfhe::shortint::{Ciphertext, MessageModulus};

use super::error::{Fault, TableError, WireError};
use super::keys::{PublicKey, ServerKey};
use super::packed::PackedBlocks;
use super::parameters::{BLOCK_BITS, BLOCK_VALUES};
use super::rows;
use super::table::{TIERS_LIMIT, TierTable, UsageWidth};
use super::total::TotalCiphertext;
use super::usage::UsageCiphertext;
use super::wire::{self, Kind};

/// Bits of an encrypted price at most: with usage of 64 bits the total then has [`TOTAL_BITS_LIMIT`](super::TOTAL_BITS_LIMIT).
pub const PRICE_BITS_LIMIT: u32 = 32;
/// The widest table: 12 tiers of 32 + 16 + 48 blocks, two to a word, behind a uniform half of 2048 words: 21 kB.
const TABLE_BYTES_LIMIT: usize = 24 << 10;
/// A term may be behind at most five bootstraps' noise before the next one.
const TERMS: usize = 5;

/// Bits of an encrypted price: even, from 2 to [`PRICE_BITS_LIMIT`]. Public, since the work depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PriceWidth(u32);

impl PriceWidth {
    /// Checks the width.
    pub fn new(bits: u32) -> Result<Self, TableError> {
        if bits == 0 || !bits.is_multiple_of(BLOCK_BITS) || bits > PRICE_BITS_LIMIT {
            return Err(TableError::PriceWidth { found: bits, limit: PRICE_BITS_LIMIT });
        }
        Ok(Self(bits))
    }

    /// Bits.
    pub fn bits(self) -> u32 {
        self.0
    }

    fn blocks(self) -> usize {
        (self.0 / BLOCK_BITS) as usize
    }
}

/// What the service knows of an encrypted table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    width: UsageWidth,
    price: PriceWidth,
    tiers: usize,
}

impl Shape {
    /// Blocks of a total: no usage and price of these widths can exceed it.
    fn total_blocks(self) -> usize {
        self.width.blocks() + self.price.blocks()
    }

    /// Blocks of all tiers. The first boundary is 0 and is not sent.
    fn blocks(self) -> usize {
        self.tiers * (self.width.blocks() + self.price.blocks() + self.total_blocks()) - self.width.blocks()
    }
}

/// A table encrypted under the tenant's public key, as it travels.
#[derive(Clone, Debug)]
pub struct EncryptedTierTable {
    shape: Shape,
    blocks: PackedBlocks,
}

impl EncryptedTierTable {
    /// Encrypts a table whose prices have at most so many bits.
    pub fn encrypt(key: &PublicKey, price: PriceWidth, table: &TierTable) -> Result<Self, TableError> {
        let shape = Shape { width: table.width(), price, tiers: table.tiers().len() };
        if table.tiers().iter().any(|tier| tier.price >> price.bits() != 0) {
            return Err(TableError::PriceOutsideWidth { bits: price.bits() });
        }
        let total = shape.total_blocks();
        let boundaries = table.tiers().iter().skip(1).map(|tier| (u128::from(tier.from), shape.width.blocks()));
        let prices = table.tiers().iter().map(|tier| (u128::from(tier.price), price.blocks()));
        let offsets = table.offsets(total).into_iter().map(|offset| (offset, total));
        let values: Vec<_> = boundaries.chain(prices).chain(offsets).collect();
        Ok(Self { shape, blocks: PackedBlocks::encrypt(key, &values)? })
    }

    /// Number of tiers.
    pub fn tiers(&self) -> usize {
        self.shape.tiers
    }

    /// Width of the usage.
    pub fn width(&self) -> UsageWidth {
        self.shape.width
    }

    /// The message.
    pub fn to_bytes(&self) -> Vec<u8> {
        let fields = [self.shape.width.bits(), self.shape.price.bits(), self.shape.tiers as u32];
        let mut content: Vec<u8> = fields.iter().flat_map(|field| field.to_le_bytes()).collect();
        content.extend(self.blocks.to_bytes());
        wire::write(Kind::Table, &content)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WireError> {
        let refused = |fault| WireError::Content { kind: Kind::Table, fault };
        let content = wire::read(Kind::Table, bytes, TABLE_BYTES_LIMIT)?;
        let (fields, blocks) =
            content.split_first_chunk::<12>().ok_or(WireError::Truncated { needed: 12, found: content.len() })?;
        let [a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3] = *fields;
        let bits = u32::from_le_bytes([a0, a1, a2, a3]);
        let width = UsageWidth::from_bits(bits).ok_or_else(|| refused(Fault::Width(bits)))?;
        let price_bits = u32::from_le_bytes([b0, b1, b2, b3]);
        let tiers = u32::from_le_bytes([c0, c1, c2, c3]) as usize;
        let price = PriceWidth::new(price_bits).map_err(|_| refused(Fault::Shape { tiers, price_bits }))?;
        if tiers == 0 || tiers > TIERS_LIMIT {
            return Err(refused(Fault::Shape { tiers, price_bits }));
        }
        let shape = Shape { width, price, tiers };
        Ok(Self { shape, blocks: PackedBlocks::from_bytes(Kind::Table, blocks, shape.blocks())? })
    }

    /// Unpacks the table once for many charges: one bootstrap for every block.
    pub fn expand(&self, key: &ServerKey) -> Result<PrivateTiers, TableError> {
        let mut blocks = self.blocks.expand(key, self.shape.blocks())?.into_iter();
        let mut take = |tiers: usize, width: usize| -> Vec<Vec<Ciphertext>> {
            (0..tiers).map(|_| blocks.by_ref().take(width).collect()).collect()
        };
        let tiers = self.shape.tiers;
        let boundaries = take(tiers - 1, self.shape.width.blocks()).into_iter().map(RadixCiphertext::from).collect();
        let prices = take(tiers, self.shape.price.blocks());
        let offsets = take(tiers, self.shape.total_blocks());
        Ok(PrivateTiers { shape: self.shape, boundaries, prices, offsets })
    }
}

/// An encrypted table that is ready to charge.
pub struct PrivateTiers {
    shape: Shape,
    boundaries: Vec<RadixCiphertext>,
    prices: Vec<Vec<Ciphertext>>,
    offsets: Vec<Vec<Ciphertext>>,
}

impl PrivateTiers {
    /// What the usage costs, encrypted: exactly [`TierTable::charge`] of what was encrypted, where the table was encrypted by
    /// [`EncryptedTierTable::encrypt`]. The total has as many blocks as usage and price together.
    pub fn charge(&self, key: &ServerKey, usage: &UsageCiphertext) -> Result<TotalCiphertext, TableError> {
        if usage.width() != self.shape.width {
            return Err(TableError::UsageWidth { expected: self.shape.width.bits(), found: usage.width().bits() });
        }
        let usage = usage.expand(key)?;
        let compare = |boundary| key.integers().ge_parallelized(&usage, boundary).into_raw_parts();
        let reached: Vec<Ciphertext> = self.boundaries.par_iter().map(compare).collect();
        let price = select(key, &reached, &self.prices);
        let blocks = self.shape.total_blocks();
        let mut rows = products(key, usage.blocks(), &price, blocks);
        rows.push(rows::row(key, 0, blocks, select(key, &reached, &self.offsets)));
        Ok(TotalCiphertext::new(rows::sum(key, blocks, rows)))
    }
}

/// The values of the last tier that is reached, block by block.
fn select(key: &ServerKey, reached: &[Ciphertext], values: &[Vec<Ciphertext>]) -> Vec<Ciphertext> {
    let server = key.blocks();
    if reached.is_empty() {
        return values.first().cloned().unwrap_or_default();
    }
    // A tier's state is 1 where it is reached and the next one is not: 0 is neither, 2 is both. Tier 0 always is reached.
    let always = server.create_trivial(1);
    let state = |tier: usize| {
        let mut state = tier.checked_sub(1).and_then(|bit| reached.get(bit)).unwrap_or(&always).clone();
        if let Some(next) = reached.get(tier) {
            server.unchecked_add_assign(&mut state, next);
        }
        state
    };
    let states: Vec<Ciphertext> = (0..values.len()).map(state).collect();
    // Value times 3 plus state: 3 + 2 times the noise of a bootstrap, exactly what the next one allows.
    let table = server.generate_lookup_table_bivariate_with_factor(
        |value, state| if state == 1 { value } else { 0 },
        MessageModulus(3),
    );
    let width = values.first().map_or(0, Vec::len);
    let block = |place: usize| {
        let candidates: Vec<Ciphertext> = values
            .par_iter()
            .zip(&states)
            .filter_map(|(value, state)| Some((value.get(place)?, state)))
            .map(|(value, state)| server.unchecked_apply_lookup_table_bivariate(value, state, &table))
            .collect();
        gather(key, candidates)
    };
    (0..width).into_par_iter().map(block).collect()
}

/// The sum of blocks of which at most one is not 0, as a clean block.
fn gather(key: &ServerKey, mut terms: Vec<Ciphertext>) -> Ciphertext {
    let server = key.blocks();
    while terms.len() > 1 {
        terms = terms
            .chunks(TERMS)
            .map(|chunk| {
                let mut sum = server.create_trivial(0);
                for term in chunk {
                    server.unchecked_add_assign(&mut sum, term);
                }
                server.message_extract(&sum)
            })
            .collect();
    }
    terms.pop().unwrap_or_else(|| server.create_trivial(0))
}

/// Rows whose sum is usage times price: of every pair of digits the low and the high digit of the product.
fn products(key: &ServerKey, usage: &[Ciphertext], price: &[Ciphertext], blocks: usize) -> Vec<RadixCiphertext> {
    let server = key.blocks();
    let low = server.generate_lookup_table_bivariate(|a, b| (a * b) % BLOCK_VALUES);
    let high = server.generate_lookup_table_bivariate(|a, b| (a * b) / BLOCK_VALUES);
    let row = |(place, factor): (usize, &Ciphertext)| {
        let times = |table| {
            usage.par_iter().map(|digit| server.unchecked_apply_lookup_table_bivariate(digit, factor, table)).collect()
        };
        [rows::row(key, place, blocks, times(&low)), rows::row(key, place + 1, blocks, times(&high))]
    };
    price.par_iter().enumerate().map(row).collect::<Vec<_>>().into_iter().flatten().collect()
}
