//! The answer: as bytes, and what it opens to.

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::ValueRange;
use blindrelay_engine::wire::{Kind, MAX_ITEMS, Message, Wire, WireError, content_digest, max_len};
use zeroize::Zeroizing;

use super::error::FindAnswerError;
use super::layout::FindLayout;
use super::payload::{self, Decoded};
use super::plan::{FIND_SIGNS, groups_a_count};
use super::request::{FindKind, FindRequest};
use crate::layout::TOKEN_ENTRIES;

/// Everything a request is answered with. Its size depends on the number of groups and on what was asked for, and not on who matches.
#[derive(Clone, Debug, PartialEq)]
pub struct FindAnswer {
    /// What was asked for.
    pub kind: FindKind,
    /// The least score that matches.
    pub threshold: i64,
    /// SHA-256 of the request it answers.
    pub request_digest: [u8; 32],
    /// Digest of the records it was computed from.
    pub roster_digest: [u8; 32],
    /// For every group which of its places are taken.
    pub occupied: Vec<Vec<bool>>,
    /// Of tickets one a group, all coefficients; of a count one for up to 256 groups, coefficient 0.
    pub answers: Vec<Answer>,
}

/// A payload of somebody who matches.
#[derive(Clone, PartialEq, Eq)]
pub struct Found {
    /// The group, in the order of the answer.
    pub group: usize,
    /// The place within the group.
    pub place: usize,
    /// What the participant enrolled.
    pub payload: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Found(group {}, place {}, ..)", self.group, self.place)
    }
}

/// What an answer to a request for tickets opens to.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Opened {
    /// The payloads of all who match. Empty where nobody does.
    pub found: Vec<Found>,
    /// Taken places whose slots are no payload: their members enrolled something else. They hide nobody else.
    pub unreadable: usize,
}

/// Why an opening was refused. There is one value for every reason, so that nobody who sees it learns about the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the answer could not be opened: it is not what was asked for, or it was changed on the way")]
pub struct Unopened;

impl FindAnswer {
    /// The message: digests, threshold and number of groups, the taken places of every group, the answers.
    pub fn to_bytes(&self, context: &Context) -> Result<Vec<u8>, WireError> {
        let threshold = i16::try_from(self.threshold).unwrap_or(i16::MAX).to_le_bytes();
        let numbers = [threshold.as_slice(), &(self.occupied.len() as u32).to_le_bytes()].concat();
        let items = [[self.request_digest, self.roster_digest].concat(), numbers]
            .into_iter()
            .chain(self.occupied.iter().map(|places| bitmap(places)))
            .chain(self.answers.iter().map(Wire::to_bytes))
            .collect();
        let parameters = context.parameters().digest();
        Message { parameters, operator: FIND_SIGNS.to_owned(), part: self.kind.answer(), items }.to_bytes()
    }

    /// Reads an answer. Refused unless it has exactly the parts that its groups ask for, at the positions of its kind.
    pub fn from_bytes(bytes: &[u8], context: &Context) -> Result<Self, FindAnswerError> {
        let parameters = context.parameters();
        let layout = FindLayout::new(context)?;
        let longest = max_len(Kind::Answer, parameters);
        let message = Message::from_bytes(bytes, parameters.digest(), MAX_ITEMS, longest)?;
        let kind = FindKind::of(message.part, FindKind::answer).filter(|_| message.operator == FIND_SIGNS);
        let Some(kind) = kind else {
            let (found, part) = (message.operator, message.part);
            return Err(FindAnswerError::Operator { expected: FIND_SIGNS, found, part });
        };
        let refuse = |what| FindAnswerError::Items { what };
        let [digests, numbers, rest @ ..] = message.items.as_slice() else {
            return Err(refuse("it has fewer than two items"));
        };
        let ([request_digest, roster_digest], []) = digests.as_chunks::<32>() else {
            return Err(refuse("the first item is not two digests"));
        };
        let &[low, high, ref groups @ ..] = numbers.as_slice() else {
            return Err(refuse("the second item is not a threshold and a number of groups"));
        };
        let groups: [u8; 4] =
            groups.try_into().map_err(|_| refuse("the second item is not a threshold and a number of groups"))?;
        let groups = u32::from_le_bytes(groups) as usize;
        let expected = match kind {
            FindKind::Tickets => groups,
            FindKind::Count => groups.div_ceil(groups_a_count(layout)),
        };
        if groups == 0 || rest.len() != groups + expected {
            return Err(refuse("it has not as many parts as its groups ask for"));
        }
        let (bitmaps, answers) = rest.split_at(groups);
        let occupied = bitmaps
            .iter()
            .map(|bytes| places(bytes, layout).ok_or_else(|| refuse("the places of a group are not as many bits")))
            .collect::<Result<_, _>>()?;
        let positions = positions(kind, layout);
        let answers = answers
            .iter()
            .map(|bytes| match Answer::from_bytes(bytes, context)? {
                answer if answer.positions() == positions && answer.rest().len() == 1 => Ok(answer),
                _ => Err(refuse("an answer opens other coefficients than its kind")),
            })
            .collect::<Result<_, _>>()?;
        let threshold = i64::from(i16::from_le_bytes([low, high]));
        let (request_digest, roster_digest) = (*request_digest, *roster_digest);
        Ok(Self { kind, threshold, request_digest, roster_digest, occupied, answers })
    }

    /// Refuses an answer to another request.
    pub fn check(&self, request: &FindRequest, bytes: &[u8]) -> Result<(), FindAnswerError> {
        if self.kind != request.kind {
            return Err(FindAnswerError::OtherKind { expected: request.kind, found: self.kind });
        }
        if self.threshold != request.threshold {
            return Err(FindAnswerError::OtherThreshold { expected: request.threshold, found: self.threshold });
        }
        if self.request_digest != content_digest(bytes) {
            return Err(FindAnswerError::OtherRequest);
        }
        Ok(())
    }

    /// The payloads of all who match. `open` gives the coefficients of an answer at the positions, within the range (`SecretKey::open_answer`), or `None`.
    ///
    /// Refused as a whole where an answer does not open, an empty place is not zero, no taken place is readable, or this is a count. All slots are looked at before the verdict.
    pub fn open_tickets(
        &self,
        context: &Context,
        mut open: impl FnMut(&Answer, Vec<u32>, ValueRange) -> Option<Zeroizing<Vec<i64>>>,
    ) -> Result<Opened, Unopened> {
        let layout = FindLayout::new(context).map_err(|_| Unopened)?;
        if self.kind != FindKind::Tickets || self.answers.len() != self.occupied.len() {
            return Err(Unopened);
        }
        let limit = context.plaintext_limit() as i64;
        let t = context.plaintext_modulus();
        let mut opened = Opened::default();
        let (mut refused, mut readable) = (false, false);
        for (group, (answer, occupied)) in self.answers.iter().zip(&self.occupied).enumerate() {
            let range = ValueRange { minimum: -limit, maximum: limit, step: 1 };
            let Some(coefficients) = open(answer, positions(self.kind, layout), range) else {
                refused = true;
                continue;
            };
            let plaintext = context.encode_coefficients(&coefficients).map_err(|_| Unopened)?;
            let slots = Zeroizing::new(context.decode_slots(&plaintext).map_err(|_| Unopened)?);
            for (place, &taken) in occupied.iter().enumerate() {
                let mut chunks = Zeroizing::new([0; TOKEN_ENTRIES]);
                for (entry, chunk) in chunks.iter_mut().enumerate() {
                    let value = slots.get(layout.slot(place, entry)).copied().unwrap_or_default();
                    *chunk = t.from_signed(value);
                }
                match (taken, payload::decode(&chunks)) {
                    (true, Decoded::Payload(payload)) => {
                        readable = true;
                        opened.found.push(Found { group, place, payload });
                    }
                    (taken, Decoded::Nothing) => readable |= taken,
                    (true, Decoded::Inconsistent) => opened.unreadable += 1,
                    (false, _) => refused = true,
                }
            }
        }
        if refused || !readable { Err(Unopened) } else { Ok(opened) }
    }

    /// How many match. `open` as for [`FindAnswer::open_tickets`]. Refused where an answer does not open, more match than there are, or this is no count.
    pub fn open_count(
        &self,
        context: &Context,
        mut open: impl FnMut(&Answer, Vec<u32>, ValueRange) -> Option<Zeroizing<Vec<i64>>>,
    ) -> Result<usize, Unopened> {
        let layout = FindLayout::new(context).map_err(|_| Unopened)?;
        let size = groups_a_count(layout);
        if self.kind != FindKind::Count || self.answers.len() != self.occupied.len().div_ceil(size) {
            return Err(Unopened);
        }
        let (t, limit) = (context.plaintext_modulus(), context.plaintext_limit() as i64);
        let (mut refused, mut matches) = (false, 0);
        for (answer, groups) in self.answers.iter().zip(self.occupied.chunks(size)) {
            let range = ValueRange { minimum: -limit, maximum: limit, step: 1 };
            let values = open(answer, positions(self.kind, layout), range);
            let share = values.as_ref().and_then(|values| values.first().copied());
            let count = t.mul(t.from_signed(share.unwrap_or_default()), layout.capacity() as u64) as usize;
            let taken = groups.iter().flatten().filter(|&&taken| taken).count();
            refused |= share.is_none() || count > taken;
            matches += count;
        }
        if refused { Err(Unopened) } else { Ok(matches) }
    }
}

/// The coefficients that an answer of a kind opens.
fn positions(kind: FindKind, layout: FindLayout) -> Vec<u32> {
    match kind {
        FindKind::Tickets => (0..layout.slots() as u32).collect(),
        FindKind::Count => vec![0],
    }
}

/// Bit `i mod 8` of byte `i / 8` says whether place `i` is taken.
fn bitmap(places: &[bool]) -> Vec<u8> {
    let byte = |bits: &[bool]| (0..).zip(bits).fold(0, |byte, (bit, &taken)| byte | u8::from(taken) << bit);
    places.chunks(8).map(byte).collect()
}

/// The places of a bitmap in its only form; `None` for another.
fn places(bytes: &[u8], layout: FindLayout) -> Option<Vec<bool>> {
    let bits = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    let places: Vec<bool> = bits.take(layout.capacity()).collect();
    (bitmap(&places) == bytes && places.len() == layout.capacity()).then_some(places)
}
