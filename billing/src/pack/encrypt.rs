//! From slots to bytes, with randomness derived from the meter's seed.

use std::sync::Arc;

use blindrelay_engine::bfv::{Ciphertext, Context};
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::{Message, Wire, content_digest, public_key_to_bytes};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use super::draft::Draft;
use crate::calendar::Date;
use crate::decimal::Decimal;
use crate::error::MeterError;
use crate::layout::Layout;
use crate::message::{BatchHeader, CHARGE, Digest, PART_BATCH, PART_RATES, ReceivedRates, write};
use crate::rates::{ItemId, Pricing};

/// Longest name of a meter, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// An encrypted batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// Its number.
    pub sequence: u64,
    /// First day of the period of its lines.
    pub period: Date,
    /// How many lines it has. The bytes do not say it.
    pub lines: usize,
    /// The message for the service.
    pub bytes: Vec<u8>,
}

/// Encrypts drafts of one meter under one key; threads may share it.
///
/// The secret of a batch is derived from the meter's seed, the slots, the number, the period, the public key and the meter's name, and the seeds of the
/// ciphertexts and the salt of the commitment from that. So no seed ever serves two plaintexts or two keys, and repeating a batch repeats its bytes.
pub struct Encryptor {
    layout: Arc<Layout>,
    context: Arc<Context>,
    key: PublicKey,
    key_digest: Digest,
    root: Seed,
    name: String,
}

impl std::fmt::Debug for Encryptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Encryptor({}, ..)", self.name)
    }
}

impl Encryptor {
    /// For a meter of this name. `root` must be secret and belong to this meter alone.
    pub fn new(
        layout: &Arc<Layout>,
        context: &Arc<Context>,
        key: PublicKey,
        root: Seed,
        name: &str,
    ) -> Result<Self, MeterError> {
        if name.is_empty() || name.len() > MAX_NAME_BYTES {
            return Err(MeterError::Setting { setting: "name", reason: "a name has 1 to 64 bytes" });
        }
        if context.slot_count() != Some(layout.slot_count()) || context.plaintext_limit() != layout.limit() {
            return Err(MeterError::Setting { setting: "layout", reason: "it was made for other parameters" });
        }
        let key_digest = content_digest(&public_key_to_bytes(&key, context.parameters()));
        let (layout, context, name) = (Arc::clone(layout), Arc::clone(context), name.to_owned());
        Ok(Self { layout, context, key, key_digest, root, name })
    }

    /// The layout.
    pub const fn layout(&self) -> &Arc<Layout> {
        &self.layout
    }

    /// The batch of a draft.
    pub fn encrypt(&self, draft: &Draft) -> Result<Batch, MeterError> {
        let lines = Lines::of(draft);
        let secret = self.secret_of(draft, &lines);
        let bytes = seal(&self.context, &self.key, &self.name, draft, &lines, &secret)?;
        Ok(Batch { sequence: draft.sequence(), period: draft.period().start, lines: draft.lines(), bytes })
    }

    /// The secret of a batch. Whoever has it and the readings can make the batch again ([`crate::verify_readings`]); it says nothing about other batches.
    pub fn disclose(&self, draft: &Draft) -> Seed {
        self.secret_of(draft, &Lines::of(draft))
    }

    fn secret_of(&self, draft: &Draft, lines: &Lines) -> Seed {
        let mut context = Zeroizing::new(Vec::with_capacity(160));
        context.extend_from_slice(&lines.0);
        context.extend_from_slice(&draft.sequence().to_le_bytes());
        context.extend_from_slice(&draft.period().start.days().to_le_bytes());
        context.extend_from_slice(&self.key_digest);
        context.extend_from_slice(self.context.parameters().digest().as_bytes());
        context.extend_from_slice(self.name.as_bytes());
        self.root.derive("meter/batch", &context)
    }

    /// The message with the encrypted rates of a period: a price for every item that the card prices then, `None` for the others.
    pub fn encrypt_rates(&self, start: Date, prices: &[Option<Decimal>]) -> Result<Vec<u8>, MeterError> {
        let slots = self.rate_slots(start, prices)?;
        let mut context = Zeroizing::new(digest_of([slots.as_slice()].into_iter()).to_vec());
        context.extend_from_slice(&start.days().to_le_bytes());
        context.extend_from_slice(&self.key_digest);
        context.extend_from_slice(self.context.parameters().digest().as_bytes());
        let seed = self.root.derive("meter/rates", &context);
        let plaintext = self.context.encode_slots(&slots)?;
        let ciphertext = self.context.encrypt_with_seed(&plaintext, &self.key, &seed)?;
        let items = vec![ReceivedRates::header(start), ciphertext.to_bytes()];
        Ok(write(self.context.parameters(), PART_RATES, items)?)
    }

    fn rate_slots(&self, start: Date, prices: &[Option<Decimal>]) -> Result<Zeroizing<Vec<i64>>, MeterError> {
        let card = self.layout.card();
        let period = card.period_from(start).ok_or(MeterError::NoPeriod { start })?;
        let mut numerators = Zeroizing::new(Vec::with_capacity(card.items().len()));
        for (index, item) in card.items().iter().enumerate() {
            let refused = |reason| MeterError::Price { item: item.name().to_owned(), reason };
            let price = prices.get(index).copied().flatten();
            let allowed = item.price_on(start).map(|price| &price.pricing).zip(card.rate(item, period));
            let numerator = match (price, allowed) {
                (None, None) => 0,
                (Some(price), Some((Pricing::Encrypted { largest }, rate))) => {
                    let price = price.with_decimals(largest.decimals());
                    let price = price.ok_or_else(|| refused("the price has more decimals than the card allows"))?;
                    if price.units() > largest.units() {
                        return Err(refused("the price is larger than the card allows"));
                    }
                    price.units() * rate.step
                }
                (Some(_), Some(_)) => return Err(refused("the card has a public price")),
                (None, Some(_)) => return Err(refused("a price is missing")),
                (Some(_), None) => return Err(refused("the card has no price for it yet")),
            };
            numerators.push(numerator);
        }
        Ok(Zeroizing::new(self.layout.spread(|item: ItemId| numerators.get(item.index()).copied().unwrap_or(0))))
    }
}

/// SHA-256 of the slots of a draft.
pub(crate) struct Lines(Digest);

impl Lines {
    pub(crate) fn of(draft: &Draft) -> Self {
        Self(digest_of(draft.slots()))
    }
}

fn digest_of<'a>(parts: impl Iterator<Item = &'a [i64]>) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        if cfg!(target_endian = "little") {
            hash.update(bytemuck::cast_slice::<i64, u8>(part));
        } else {
            for value in part {
                hash.update(value.to_le_bytes());
            }
        }
    }
    hash.finalize().into()
}

/// The bytes of a batch under its secret.
pub(crate) fn seal(
    context: &Context,
    key: &PublicKey,
    name: &str,
    draft: &Draft,
    lines: &Lines,
    secret: &Seed,
) -> Result<Vec<u8>, MeterError> {
    let salt = secret.derive("meter/salt", &[]);
    let mut ciphertexts = Vec::with_capacity(2);
    for (index, slots) in (0_u8..).zip(draft.slots()) {
        let plaintext = context.encode_slots(slots)?;
        let seed = secret.derive("meter/ciphertext", &[index]);
        ciphertexts.push(context.encrypt_with_seed(&plaintext, key, &seed)?);
    }
    let header = BatchHeader {
        meter: name_digest(name),
        sequence: draft.sequence(),
        period: draft.period().start,
        ciphertexts: ciphertexts.len() as u8,
        commitment: commitment(&salt, lines),
    };
    let header = header.to_bytes();
    let lengths: Vec<usize> =
        std::iter::once(header.len()).chain(ciphertexts.iter().map(Ciphertext::encoded_len)).collect();
    let mut bytes = Message::begin(context.parameters().digest(), CHARGE, PART_BATCH, lengths.into_iter())?;
    bytes.extend_from_slice(&header);
    for ciphertext in &ciphertexts {
        ciphertext.append_to(&mut bytes);
    }
    Ok(bytes)
}

fn name_digest(name: &str) -> [u8; 16] {
    let digest = content_digest(name.as_bytes());
    digest.first_chunk().copied().unwrap_or_default()
}

fn commitment(salt: &Seed, lines: &Lines) -> Digest {
    let mut hash = Sha256::new();
    hash.update(b"blindrelay charge/1 readings");
    hash.update(salt.as_bytes());
    hash.update(lines.0);
    hash.finalize().into()
}
