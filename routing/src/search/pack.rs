//! The key holder's side: from keywords to plaintexts.

use blindrelay_engine::bfv::{Context, Plaintext};
use shake::digest::{ExtendableOutput, Update, XofReader};
use unicode_normalization::UnicodeNormalization;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::error::KeywordError;
use super::layout::{KEYWORD_RESIDUES, KEYWORDS, SearchLayout};

/// 128 bits of a keyword's hash. Wiped on drop, never printed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct Keyword([u16; KEYWORD_RESIDUES]);

impl std::fmt::Debug for Keyword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keyword(..)")
    }
}

/// One spelling of a keyword: surrounding white space removed, lower case, Unicode NFC.
pub fn normalize_keyword(word: &str) -> String {
    word.trim().to_lowercase().nfc().collect()
}

impl Keyword {
    /// The keyword of a word under a secret that all who search with it share: 128 bits of SHAKE256. Two different words are
    /// the same keyword with probability 2^-128. Refused where the word is empty.
    pub fn of_word(secret: &[u8; 32], word: &str) -> Result<Self, KeywordError> {
        let word = Zeroizing::new(normalize_keyword(word));
        if word.is_empty() {
            return Err(KeywordError::Empty);
        }
        let mut hash = shake::Shake256::default();
        for field in [b"blindrelay/1 search keyword".as_slice(), secret, word.as_bytes()] {
            hash.update(&(field.len() as u64).to_le_bytes());
            hash.update(field);
        }
        let mut bytes = Zeroizing::new([0_u8; 2 * KEYWORD_RESIDUES]);
        hash.finalize_xof().read(bytes.as_mut());
        let mut residues = [0; KEYWORD_RESIDUES];
        let (pairs, _) = bytes.as_chunks::<2>();
        residues.iter_mut().zip(pairs).for_each(|(residue, pair)| *residue = u16::from_le_bytes(*pair));
        Ok(Self(residues))
    }

    /// From its residues, for example of another hash. Below `t - 1` they are kept apart; above, they are taken modulo `t - 1`.
    pub const fn from_residues(residues: [u16; KEYWORD_RESIDUES]) -> Self {
        Self(residues)
    }

    /// What its slots hold: integers from 1 to `t - 1`, centred.
    fn values(&self, context: &Context) -> impl Iterator<Item = i64> {
        let t = context.plaintext_modulus();
        self.0.iter().map(move |&residue| t.centre(1 + u64::from(residue) % (t.value() - 1)))
    }
}

/// The plaintext of a query: the keyword in all places.
pub fn pack_query(context: &Context, keyword: &Keyword) -> Result<Plaintext, KeywordError> {
    let values: Zeroizing<Vec<i64>> = Zeroizing::new(keyword.values(context).collect());
    encode_repeated(context, &values)
}

/// The plaintext of a record: the keywords of each participant. Refused where a participant has none, more than [`KEYWORDS`] or the same one twice, and where there are
/// more participants than share a ciphertext.
pub fn pack_participants(context: &Context, participants: &[Vec<Keyword>]) -> Result<Plaintext, KeywordError> {
    let layout = SearchLayout::new(context.parameters().degree());
    let capacity = layout.capacity();
    if participants.is_empty() || participants.len() > capacity {
        return Err(KeywordError::Participants { found: participants.len(), capacity });
    }
    let period = layout.period(participants.len());
    let mut values: Zeroizing<Vec<i64>> = Zeroizing::new(vec![0; layout.participant(period).start]);
    for (participant, keywords) in participants.iter().enumerate() {
        check(participant, keywords)?;
        let slots = values.iter_mut().skip(layout.participant(participant).start);
        slots.zip(keywords.iter().flat_map(|keyword| keyword.values(context))).for_each(|(slot, value)| *slot = value);
    }
    encode_repeated(context, &values)
}

fn check(participant: usize, keywords: &[Keyword]) -> Result<(), KeywordError> {
    if keywords.is_empty() || keywords.len() > KEYWORDS {
        return Err(KeywordError::Count { participant, found: keywords.len(), capacity: KEYWORDS });
    }
    for (second, keyword) in keywords.iter().enumerate() {
        if let Some(first) = keywords.iter().take(second).position(|earlier| earlier == keyword) {
            return Err(KeywordError::Repeated { participant, first, second });
        }
    }
    Ok(())
}

/// Values over and over again, over all slots.
fn encode_repeated(context: &Context, values: &[i64]) -> Result<Plaintext, KeywordError> {
    let slots: Zeroizing<Vec<i64>> =
        Zeroizing::new(values.iter().copied().cycle().take(context.parameters().degree()).collect());
    Ok(context.encode_slots(&slots)?)
}
