//! The answer of the matching operators as bytes.

use blindrelay_engine::bfv::{Answer, Context};
use blindrelay_engine::operator::{HANDLE_BYTES, Handle};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::wire::{Kind, MAX_ITEMS, Message, Wire, WireError, max_len};

use crate::error::AnswerError;
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
    /// SHA-256 of the request it answers.
    pub request_digest: [u8; 32],
    /// Digest of the records it was computed from.
    pub roster_digest: [u8; 32],
    /// One block a group.
    pub blocks: Vec<ScoredBlock>,
}

impl MatchAnswer {
    /// The message: both digests, then the handles of every block, then the answer of every block. Refused where there are more blocks than
    /// a message has items.
    pub fn to_bytes(&self, parameters: &Parameters) -> Result<Vec<u8>, WireError> {
        let blocks = self.blocks.iter().map(ScoredBlock::encode).collect();
        encode(self.operator, [self.request_digest, self.roster_digest], blocks, parameters)
    }

    /// Reads the answer of an operator. Refused unless every block has one handle a position and only positions that carry scores.
    pub fn from_bytes(bytes: &[u8], operator: MatchKind, context: &Context) -> Result<Self, AnswerError> {
        let parameters = context.parameters();
        let layout = Layout::new(parameters.degree());
        let longest = max_len(Kind::Answer, parameters).max(HANDLE_BYTES * layout.capacity());
        let message = Message::from_bytes(bytes, parameters.digest(), MAX_ITEMS, longest)?;
        if message.operator != operator.id() || message.part != 0 {
            let (found, part) = (message.operator, message.part);
            return Err(AnswerError::Operator { expected: operator.id(), found, part });
        }
        let Some((digests, blocks)) = message.items.split_first() else {
            return Err(AnswerError::Items { what: "it has no items" });
        };
        let ([request_digest, roster_digest], []) = digests.as_chunks::<32>() else {
            return Err(AnswerError::Items { what: "the first item is not two digests" });
        };
        if blocks.len() % 2 != 0 {
            return Err(AnswerError::Items { what: "there are not as many lists of handles as answers" });
        }
        let (handles, answers) = blocks.split_at(blocks.len() / 2);
        let blocks = handles
            .iter()
            .zip(answers)
            .map(|(handles, answer)| ScoredBlock::from_items(handles, answer, layout, context))
            .collect::<Result<_, _>>()?;
        Ok(Self { operator, request_digest: *request_digest, roster_digest: *roster_digest, blocks })
    }
}

/// A block as the two items of its message.
pub(crate) struct EncodedBlock {
    handles: Vec<u8>,
    answer: Vec<u8>,
}

/// The message of encoded blocks.
pub(crate) fn encode(
    operator: MatchKind,
    digests: [[u8; 32]; 2],
    blocks: Vec<EncodedBlock>,
    parameters: &Parameters,
) -> Result<Vec<u8>, WireError> {
    let (handles, answers): (Vec<_>, Vec<_>) = blocks.into_iter().map(|block| (block.handles, block.answer)).unzip();
    let items = std::iter::once(digests.concat()).chain(handles).chain(answers).collect();
    Message { parameters: parameters.digest(), operator: operator.id().to_owned(), part: 0, items }.to_bytes()
}

impl ScoredBlock {
    /// The items of the block. An answer of packed bits takes a third of the memory that its residues do.
    pub(crate) fn encode(&self) -> EncodedBlock {
        let handles = self.handles.iter().flat_map(|handle| *handle.as_bytes()).collect();
        EncodedBlock { handles, answer: self.answer.to_bytes() }
    }

    fn from_items(handles: &[u8], answer: &[u8], layout: Layout, context: &Context) -> Result<Self, AnswerError> {
        let (handles, rest) = handles.as_chunks::<HANDLE_BYTES>();
        let answer = Answer::from_bytes(answer, context)?;
        if !rest.is_empty() || handles.len() != answer.positions().len() {
            return Err(AnswerError::Items { what: "a block does not have one handle a score" });
        }
        if !answer.positions().iter().all(|&position| layout.carries_score(position)) {
            return Err(AnswerError::Items { what: "a position carries no score" });
        }
        Ok(Self { handles: handles.iter().copied().map(Handle::from_bytes).collect(), answer })
    }
}
