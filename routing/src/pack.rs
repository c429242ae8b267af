//! The key holder's side: from identities and embeddings to plaintexts.

use blindrelay_engine::bfv::{Context, Plaintext};
use shake::digest::{ExtendableOutput, Update, XofReader};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::error::TokenError;
use crate::layout::{Layout, TOKEN_ENTRIES};
use crate::plan::MatchKind;

/// 128 small signed integers. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Token([i8; TOKEN_ENTRIES]);

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(..)")
    }
}

/// One spelling of an identity: surrounding white space removed, Unicode NFC. Case is kept.
pub fn normalize_identity(identity: &str) -> String {
    identity.trim().nfc().collect()
}

impl Token {
    /// The token of an identity under a secret that all who shall recognise it share: 128 bits of SHAKE256 as signs. Equal identities score
    /// 128; two different ones score like the sum of 128 fair coins, which reaches 128 with probability 2^-128.
    pub fn of_identity(secret: &[u8; 32], identity: &str) -> Self {
        let identity = Zeroizing::new(normalize_identity(identity));
        let mut hash = shake::Shake256::default();
        for field in [b"blindrelay/1 identity token".as_slice(), secret, identity.as_bytes()] {
            hash.update(&(field.len() as u64).to_le_bytes());
            hash.update(field);
        }
        let mut bits = Zeroizing::new([0_u8; TOKEN_ENTRIES / 8]);
        hash.finalize_xof().read(bits.as_mut());
        let mut entries = [0; TOKEN_ENTRIES];
        for (chunk, byte) in entries.chunks_exact_mut(8).zip(bits.iter()) {
            for (position, entry) in chunk.iter_mut().enumerate() {
                *entry = 1 - 2 * ((byte >> position) & 1) as i8;
            }
        }
        Self(entries)
    }

    /// From 128 entries, for example a quantised embedding.
    pub fn from_entries(entries: &[i8]) -> Result<Self, TokenError> {
        Ok(Self(entries.try_into().map_err(|_| TokenError::Length { found: entries.len() })?))
    }

    /// A unit-length embedding of 128 numbers, quantised to `[-7, 7]` by its largest entry.
    pub fn quantise(embedding: &[f32]) -> Result<Self, TokenError> {
        if embedding.len() != TOKEN_ENTRIES || embedding.iter().any(|x| !x.is_finite()) {
            return Err(TokenError::Length { found: embedding.iter().filter(|x| x.is_finite()).count() });
        }
        let largest = embedding.iter().fold(f32::MIN_POSITIVE, |all, x| all.max(x.abs()));
        let mut entries = [0; TOKEN_ENTRIES];
        for (entry, x) in entries.iter_mut().zip(embedding) {
            *entry = (x / largest * 7.0).round() as i8;
        }
        Ok(Self(entries))
    }

    /// The entries.
    pub fn entries(&self) -> &[i8; TOKEN_ENTRIES] {
        &self.0
    }
}

impl MatchKind {
    /// The plaintext of a probe.
    pub fn pack_probe(self, context: &Context, token: &Token) -> Result<Plaintext, TokenError> {
        self.check(0, token)?;
        let values: Zeroizing<Vec<i64>> = Zeroizing::new(token.0.iter().rev().map(|&entry| i64::from(entry)).collect());
        Ok(context.encode_coefficients_within(&values, u64::from(self.entry_limit()))?)
    }

    /// The plaintext of a record that carries these tokens, at places 0, 1, ...
    pub fn pack_tokens(self, context: &Context, tokens: &[Token]) -> Result<Plaintext, TokenError> {
        let capacity = Layout::new(context.parameters().degree()).capacity();
        if tokens.is_empty() || tokens.len() > capacity {
            return Err(TokenError::Count { found: tokens.len(), capacity });
        }
        for (index, token) in tokens.iter().enumerate() {
            self.check(index, token)?;
        }
        let values: Zeroizing<Vec<i64>> =
            Zeroizing::new(tokens.iter().flat_map(|token| token.0.iter().map(|&entry| i64::from(entry))).collect());
        Ok(context.encode_coefficients_within(&values, u64::from(self.entry_limit()))?)
    }

    fn check(self, token: usize, entries: &Token) -> Result<(), TokenError> {
        let limit = self.entry_limit();
        match entries.0.iter().position(|entry| entry.unsigned_abs() > limit || (self.signs_only() && *entry == 0)) {
            Some(index) => Err(TokenError::Range { token, index, limit }),
            None => Ok(()),
        }
    }
}
