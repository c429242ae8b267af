//! The answer of the matching operators as bytes.

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::{HANDLE_BYTES, Handle};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::wire::{Kind, Message, Wire, WireError, max_len};

use crate::layout::Layout;
use crate::plan::MatchKind;

/// The scores of one group: the handle of each position of the answer, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct ScoredBlock {
    /// Whose scores these are.
    pub handles: Vec<Handle>,
    /// The encrypted scores.
    pub answer: Answer,
}

/// Everything a probe is answered with.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchAnswer {
    /// The operator that computed it.
    pub operator: MatchKind,
    /// SHA3-256 of the request it answers.
    pub request_digest: [u8; 32],
    /// Digest of the records it was computed from.
    pub roster_digest: [u8; 32],
    /// One block a group.
    pub blocks: Vec<ScoredBlock>,
}

impl MatchAnswer {
    /// The message: item 0 holds both digests, then two items a block, its handles and its answer.
    pub fn to_bytes(&self, parameters: &Parameters) -> Vec<u8> {
        let mut items = vec![[self.request_digest, self.roster_digest].concat()];
        for block in &self.blocks {
            items.push(block.handles.iter().flat_map(|handle| *handle.as_bytes()).collect());
            items.push(block.answer.to_bytes());
        }
        Message { parameters: parameters.digest(), operator: self.operator.id().to_owned(), part: 0, items }.to_bytes()
    }

    /// Reads the answer of an operator. Refused unless every block has one handle a position and only positions that carry scores.
    pub fn from_bytes(bytes: &[u8], operator: MatchKind, context: &Context) -> Result<Self, WireError> {
        let parameters = context.parameters();
        let layout = Layout::new(parameters.degree());
        let longest = max_len(Kind::Answer, parameters).max(HANDLE_BYTES * layout.capacity());
        let message = Message::from_bytes(bytes, parameters.digest(), 1 << 20, longest)?;
        if message.operator != operator.id() || message.part != 0 {
            return Err(WireError::TypedHeader { reason: "the message is of another operator" });
        }
        let mut items = message.items.iter();
        let digests = items.next().map(|item| item.as_chunks::<32>());
        let Some(([request_digest, roster_digest], [])) = digests else {
            return Err(WireError::TypedHeader { reason: "the first item is not two digests" });
        };
        let mut blocks = Vec::with_capacity(items.len() / 2);
        while let Some(handles) = items.next() {
            let answer = items.next().ok_or(WireError::TypedHeader { reason: "a block has no answer" })?;
            let (chunks, rest) = handles.as_chunks::<HANDLE_BYTES>();
            let answer = Answer::from_bytes(answer, context)?;
            let scores: Vec<u32> = (0..layout.capacity()).map(|place| layout.score(place)).collect();
            let carries_scores = answer.positions().iter().all(|position| scores.contains(position));
            if !rest.is_empty() || chunks.len() != answer.positions().len() || !carries_scores {
                return Err(WireError::TypedHeader { reason: "handles and score positions disagree" });
            }
            blocks.push(ScoredBlock { handles: chunks.iter().copied().map(Handle::from_bytes).collect(), answer });
        }
        Ok(Self { operator, request_digest: *request_digest, roster_digest: *roster_digest, blocks })
    }
}
