//! The request and the answer of the search operator as bytes, and what an opened answer says.

use blindrelay_engine::bfv::{Answer, Context, SeededCiphertext};
use blindrelay_engine::operator::{HANDLE_BYTES, Handle, OperatorError, ValueRange};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::PublicKey;
use blindrelay_engine::wire::{
    Kind, MAX_ITEMS, Message, Wire, WireError, max_len, public_key_from_bytes, public_key_to_bytes,
};

use super::error::ImplausibleAnswer;
use super::layout::{KEYWORD_RESIDUES, SearchLayout};
use super::plan::SEARCH;
use crate::error::AnswerError;

const ANSWER: u8 = 0;
const REQUEST: u8 = 1;
/// Bytes of a participant's place before its handle.
const PLACE_BYTES: usize = 2;
/// Slots of one keyword that are zero by chance are never so many: each is with probability `1 / t`, so four of eight with less than 2^-57 at `t` = 65537.
const CHANCE_ZEROS: usize = 3;

/// A query, and the public key under which the answer is hidden from its own holder.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchRequest {
    /// The keyword in all places.
    pub query: SeededCiphertext,
    /// The public key of the secret key that encrypted the query.
    pub public_key: PublicKey,
}

impl SearchRequest {
    /// The message: query, public key.
    pub fn to_bytes(&self) -> Result<Vec<u8>, WireError> {
        let parameters = self.query.parameters();
        let items = vec![self.query.to_bytes(), public_key_to_bytes(&self.public_key, parameters)];
        Message { parameters: parameters.digest(), operator: SEARCH.to_owned(), part: REQUEST, items }.to_bytes()
    }

    /// Reads a request.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, OperatorError> {
        let parameters = context.parameters();
        let longest = max_len(Kind::SeededCiphertext, parameters).max(max_len(Kind::PublicKey, parameters));
        let unfit = |reason| OperatorError::Unfit { object: "request", reason };
        let Message { operator, part, items, .. } = Message::from_bytes(bytes, parameters.digest(), 2, longest)?;
        if operator != SEARCH || part != REQUEST {
            return Err(unfit(format!(
                "it is part {part} of operator '{operator}', and a query is part {REQUEST} of '{SEARCH}'"
            )));
        }
        let [query, public_key] = items.as_slice() else {
            return Err(unfit(format!("it has {} items, and a query has two: keyword and public key", items.len())));
        };
        let query = SeededCiphertext::from_bytes(query, context)?;
        Ok(Self { query, public_key: public_key_from_bytes(public_key, parameters)? })
    }
}

/// The answer of one ciphertext of the roster.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchedBlock {
    /// Who is enrolled, with the place in the ciphertext, ascending.
    pub participants: Vec<(u16, Handle)>,
    /// All coefficients.
    pub answer: Answer,
}

/// A participant who has the keyword.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SearchMatch {
    /// Whose.
    pub handle: Handle,
    /// Which of the participant's keywords it is, in the order of enrolment.
    pub place: usize,
}

/// Everything a query is answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchAnswer {
    /// SHA-256 of the request it answers.
    pub request_digest: [u8; 32],
    /// Digest of the records it was computed from.
    pub roster_digest: [u8; 32],
    /// One block a ciphertext.
    pub blocks: Vec<SearchedBlock>,
}

impl SearchAnswer {
    /// The message: both digests, then the participants of every block, then the answer of every block. Refused where there are more blocks than a
    /// message has items.
    pub fn to_bytes(&self, parameters: &Parameters) -> Result<Vec<u8>, WireError> {
        encode(
            [self.request_digest, self.roster_digest],
            self.blocks.iter().map(SearchedBlock::encode).collect(),
            parameters,
        )
    }

    /// Reads an answer. Refused unless the participants of every block ascend and are places of the ciphertext, and every coefficient can be opened.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, AnswerError> {
        let parameters = context.parameters();
        let capacity = SearchLayout::new(parameters.degree()).capacity();
        let longest = max_len(Kind::Answer, parameters).max((PLACE_BYTES + HANDLE_BYTES) * capacity);
        let message = Message::from_bytes(bytes, parameters.digest(), MAX_ITEMS, longest)?;
        if message.operator != SEARCH || message.part != ANSWER {
            return Err(AnswerError::Operator { expected: SEARCH, found: message.operator, part: message.part });
        }
        let Some((digests, blocks)) = message.items.split_first() else {
            return Err(AnswerError::Items { what: "it has no items" });
        };
        let ([request_digest, roster_digest], []) = digests.as_chunks::<32>() else {
            return Err(AnswerError::Items { what: "the first item is not two digests" });
        };
        if blocks.len() % 2 != 0 {
            return Err(AnswerError::Items { what: "there are not as many lists of participants as answers" });
        }
        let (participants, answers) = blocks.split_at(blocks.len() / 2);
        let blocks = participants
            .iter()
            .zip(answers)
            .map(|(participants, answer)| SearchedBlock::from_items(participants, answer, context))
            .collect::<Result<_, _>>()?;
        Ok(Self { request_digest: *request_digest, roster_digest: *roster_digest, blocks })
    }
}

/// A block as the two items of its message.
pub(super) type EncodedBlock = (Vec<u8>, Vec<u8>);

/// The message of encoded blocks.
pub(super) fn encode(
    digests: [[u8; 32]; 2],
    blocks: Vec<EncodedBlock>,
    parameters: &Parameters,
) -> Result<Vec<u8>, WireError> {
    let (participants, answers): (Vec<_>, Vec<_>) = blocks.into_iter().unzip();
    let items = std::iter::once(digests.concat()).chain(participants).chain(answers).collect();
    Message { parameters: parameters.digest(), operator: SEARCH.to_owned(), part: ANSWER, items }.to_bytes()
}

impl SearchedBlock {
    pub(super) fn encode(&self) -> EncodedBlock {
        let entry = |(place, handle): &(u16, Handle)| {
            place.to_le_bytes().into_iter().chain(*handle.as_bytes()).collect::<Vec<u8>>()
        };
        (self.participants.iter().flat_map(entry).collect(), self.answer.to_bytes())
    }

    fn from_items(participants: &[u8], answer: &[u8], context: &Context) -> Result<Self, AnswerError> {
        let degree = context.parameters().degree();
        let (entries, rest) = participants.as_chunks::<{ PLACE_BYTES + HANDLE_BYTES }>();
        let participants: Vec<(u16, Handle)> = entries
            .iter()
            .map(|&[low, high, ref handle @ ..]| (u16::from_le_bytes([low, high]), Handle::from_bytes(*handle)))
            .collect();
        let capacity = SearchLayout::new(degree).capacity();
        let placed = participants.is_sorted_by(|(a, _), (b, _)| a < b)
            && participants.last().is_none_or(|&(last, _)| usize::from(last) < capacity);
        if !rest.is_empty() || !placed {
            return Err(AnswerError::Items { what: "the participants of a block are not an ascending list of places" });
        }
        let answer = Answer::from_bytes(answer, context)?;
        if answer.positions().len() != degree {
            return Err(AnswerError::Items { what: "a block cannot be opened in all coefficients" });
        }
        Ok(Self { participants, answer })
    }

    /// What the coefficients of an answer can be: anything, since where nothing matches they are random.
    pub fn range(context: &Context) -> ValueRange {
        let limit = context.plaintext_limit() as i64;
        ValueRange { minimum: -limit, maximum: limit, step: 1 }
    }

    /// Who matches, by the opened coefficients of the answer, all of them. Every slot is looked at before the verdict: where nobody is enrolled none may be zero, and
    /// the slots of one keyword are all zero or at most three of them.
    pub fn matches(&self, context: &Context, coefficients: &[i64]) -> Result<Vec<SearchMatch>, ImplausibleAnswer> {
        let layout = SearchLayout::new(context.parameters().degree());
        if coefficients.len() != layout.slots() {
            return Err(ImplausibleAnswer);
        }
        let plaintext = context.encode_coefficients(coefficients).map_err(|_| ImplausibleAnswer)?;
        let slots = zeroize::Zeroizing::new(context.decode_slots(&plaintext).map_err(|_| ImplausibleAnswer)?);
        let mut enrolled = vec![None; layout.capacity()];
        for &(place, handle) in &self.participants {
            *enrolled.get_mut(usize::from(place)).ok_or(ImplausibleAnswer)? = Some(handle);
        }
        let (mut matches, mut refused) = (Vec::new(), false);
        for (participant, handle) in enrolled.into_iter().enumerate() {
            let slots = slots.get(layout.participant(participant)).unwrap_or_default();
            for (place, slots) in slots.chunks_exact(KEYWORD_RESIDUES).enumerate() {
                let zeros = slots.iter().filter(|&&slot| slot == 0).count();
                match handle {
                    Some(handle) if zeros == KEYWORD_RESIDUES => matches.push(SearchMatch { handle, place }),
                    Some(_) => refused |= zeros > CHANCE_ZEROS,
                    None => refused |= zeros > 0,
                }
            }
        }
        if refused { Err(ImplausibleAnswer) } else { Ok(matches) }
    }
}
