//! A room for find: who has the token of a probe, answered with their payload.

use std::sync::Arc;

use blindrelay_engine::bfv::Context;
use blindrelay_engine::operator::{Collection, Handle, Snapshot};
use blindrelay_engine::params::DECIDE_32768;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_kernels::Backend;
use blindrelay_keyholder::{Expectation, SecretKey};
use blindrelay_routing::find::{
    DEFAULT_THRESHOLD, FindAnswer, FindKind, FindRecord, FindRequest, FindSnapshot, Finding, PAYLOAD_LEVEL,
};
use blindrelay_routing::{MatchKind, Token};

use super::{Decision, KeyBytes, describe};
use crate::random::SplitMix64;
use crate::{Error, agree, room};

/// The room as the service holds it, with one request.
pub(super) struct FindRoom {
    context: Arc<Context>,
    snapshot: FindSnapshot,
    keys: EvaluationKeys,
    request: Vec<u8>,
}

impl FindRoom {
    /// A room of so many participants. All enrol the same record but the last one, for whom the probe is: what a record holds does not change what is computed. Refused where
    /// the answer opens to anything else than the last one's payload.
    pub(super) fn new(participants: usize, backend: Backend) -> Result<Self, Error> {
        let context = room::context(DECIDE_32768, backend)?;
        let key = SecretKey::from_seed(&context, Seed::from_bytes([12; 32]));
        let operator = Finding::new(&context)?;
        let mut random = SplitMix64::new(8);
        let record = |token: &Token, payload: &[u8]| -> Result<Vec<u8>, Error> {
            let [token, payload] = FindRecord::pack(&context, token, payload).map_err(Error::received)?;
            let (token, payload) = (key.encrypt(&token)?, key.encrypt_at(&payload, PAYLOAD_LEVEL)?);
            Ok(FindRecord { token, payload }.to_bytes()?)
        };
        let (others, sought) = (random.token(MatchKind::Signs)?, random.token(MatchKind::Signs)?);
        let ticket = [0xa5; 128];
        let (filler, last) = (record(&others, b"another ticket")?, record(&sought, &ticket)?);
        let mut roster = operator.roster();
        for number in 0..participants {
            let record = if number + 1 == participants { &last } else { &filler };
            roster.append(record, &[Handle::from_bytes((number as u128).to_le_bytes())])?;
        }
        let plaintext = FindRequest::pack_probe(&context, &sought).map_err(Error::received)?;
        let probe = key.encrypt_at(&plaintext, FindRequest::probe_level(context.parameters()))?;
        let request = FindRequest { kind: FindKind::Tickets, threshold: DEFAULT_THRESHOLD, probe };
        let request = request.to_bytes().map_err(Error::received)?;
        let keys = key.planned_keys(operator.key_plan());
        let (snapshot, context) = (roster.view(), Arc::clone(&context));
        let room = Self { context, snapshot, keys, request };
        let answer = FindAnswer::from_bytes(&room.evaluate()?, &room.context).map_err(Error::received)?;
        let open = |answer: &_, positions, range| key.open_answer(answer, &Expectation { positions, range }).ok();
        let opened = answer.open_tickets(&room.context, open).map_err(Error::received)?;
        let found: Vec<&[u8]> = opened.found.iter().map(|found| found.payload.as_slice()).collect();
        agree("find", "blindrelay", &(found.as_slice(), opened.unreadable), &([ticket.as_slice()].as_slice(), 0))?;
        Ok(room)
    }
}

impl Decision for FindRoom {
    fn evaluate(&self) -> Result<Vec<u8>, Error> {
        Ok(self.snapshot.evaluate(&self.request, Some(&self.keys))?)
    }

    fn keys(&self) -> KeyBytes {
        KeyBytes::of(&self.keys)
    }

    fn parameters(&self) -> String {
        describe(&self.context)
    }
}
