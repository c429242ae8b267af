//! 32 enrolled tokens and a probe, on our side and at the peer.

use blindrelay_kernels::Backend;
use blindrelay_routing::{MatchKind, Token, reference};

use crate::peer::{self, PackedMatcher, SlotMatcher};
use crate::random::SplitMix64;
use crate::room::Room;
use crate::{Error, agree};

/// How many tokens are scored.
pub const TOKENS: usize = 32;

/// A room of 32 members who enrolled one by one, the same members at the peer, and somebody's probe.
pub struct Meeting {
    /// Ours.
    pub room: Room,
    /// The peer as its documentation shows.
    pub slots: SlotMatcher,
    /// The peer with our packing.
    pub packed: PackedMatcher,
    /// The probe.
    pub probe: Token,
    /// The clear scores.
    pub scores: Vec<i64>,
    kind: MatchKind,
}

impl Meeting {
    /// Refused where any side computes other scores than the clear ones.
    pub fn new(kind: MatchKind, backend: Backend) -> Result<Self, Error> {
        let mut random = SplitMix64::new(2);
        let tokens = (0..TOKENS).map(|_| random.token(kind)).collect::<Result<Vec<_>, _>>()?;
        let probe = random.token(kind)?;
        let scores: Vec<i64> = tokens.iter().map(|token| reference::score(probe.entries(), token.entries())).collect();
        let mut room = Room::new(kind, backend)?;
        room.enrol(&tokens, 1)?;
        let (slots, packed) = (SlotMatcher::new(&tokens)?, PackedMatcher::new(&tokens)?);
        let meeting = Self { room, slots, packed, probe, scores, kind };
        meeting.check()?;
        Ok(meeting)
    }

    fn check(&self) -> Result<(), Error> {
        let blocks = self.room.snapshot().scores(&self.room.received_probe(&self.probe)?, None)?;
        agree("32 scores", "blindrelay", &self.room.open_all(&blocks, &self.room.expectation())?, &self.scores)?;
        let answer = self.slots.scores(&self.slots.probe(&self.probe)?)?;
        agree("32 scores", "fhe with slots", &self.slots.open(&answer)?, &self.scores)?;
        let answer = self.packed.scores(&self.packed.probe(&self.probe)?);
        agree("32 scores", "fhe with our packing", &self.packed.open(&answer)?, &self.scores)
    }

    /// Our parameters in words.
    pub fn parameters(&self) -> String {
        describe(self.kind.parameters(), &self.room)
    }

    /// The peer's parameters in words.
    pub fn peer_parameters(&self) -> String {
        peer::describe(self.slots.holder().parameters(), peer::DEFAULT)
    }
}

/// The set's name with its figures.
fn describe(name: &str, room: &Room) -> String {
    let parameters = room.context().parameters();
    let t = room.context().plaintext_modulus().value();
    format!("{name}: N={} log2(Q)={} t={t}", parameters.degree(), parameters.modulus_bits())
}
