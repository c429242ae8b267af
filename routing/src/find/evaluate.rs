//! The operator, and the answer of a request from all groups of a room.

use std::sync::{Arc, OnceLock};

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, Evaluator};
use blindrelay_engine::circuit::{Circuit, CircuitPlan, Evaluation, Operand};
use blindrelay_engine::operator::{Collection, Operator, OperatorCard, OperatorError, Snapshot};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::{EvaluationKeys, KeyPlan};
use blindrelay_engine::wire::content_digest;
use blindrelay_engine::{Error, Object};
use rayon::prelude::*;

use super::answer::FindAnswer;
use super::circuit::FindCircuit;
use super::layout::FindLayout;
use super::plan::{KEYGEN_COMMAND, card, groups_a_count, worst_plan};
use super::request::{FindKind, FindRequest};
use super::roster::{FindRoster, Group};

/// The operator `find-signs/1`.
pub struct Finding {
    card: OperatorCard,
    shared: Arc<Shared>,
}

/// What rosters and snapshots have in common.
pub(super) struct Shared {
    pub(super) evaluator: Evaluator,
    pub(super) layout: FindLayout,
    plan: CircuitPlan,
}

impl Finding {
    /// The operator over prepared tables of `decide-32768`. Parameters for which some threshold does not fit are refused, with the named set that is enough.
    pub fn new(context: &Arc<Context>) -> Result<Self, Error> {
        let layout = FindLayout::new(context)?;
        let plan = worst_plan(context, layout)?;
        let card = card(context, layout, &plan)?;
        Ok(Self { card, shared: Arc::new(Shared { evaluator: Evaluator::new(context), layout, plan }) })
    }

    /// The keys that a room needs, each with the highest level at which it is used: what `SecretKey::planned_keys` makes is all that has to be uploaded.
    pub fn key_plan(&self) -> &KeyPlan {
        &self.shared.plan.keys
    }

    /// An empty roster.
    pub fn roster(&self) -> FindRoster {
        FindRoster::new(Arc::clone(&self.shared))
    }
}

impl Operator for Finding {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        self.shared.context().parameters()
    }

    fn new_collection(&self) -> Box<dyn Collection> {
        Box::new(self.roster())
    }
}

impl Shared {
    pub(super) fn context(&self) -> &Arc<Context> {
        self.evaluator.context()
    }
}

/// A roster at one moment.
pub struct FindSnapshot {
    shared: Arc<Shared>,
    groups: Vec<Arc<Group>>,
    digest: OnceLock<[u8; 32]>,
}

impl FindSnapshot {
    pub(super) fn new(shared: Arc<Shared>, groups: Vec<Arc<Group>>) -> Self {
        Self { shared, groups, digest: OnceLock::new() }
    }

    /// SHA-256 over the digests of all records with their handles and places: what an answer is computed from.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| {
            let mut bytes = Vec::new();
            for group in &self.groups {
                for record in &group.records {
                    let (digest, handle) =
                        record.as_ref().map_or(([0; 32], [0; 16]), |r| (r.digest, *r.handle.as_bytes()));
                    bytes.extend_from_slice(&digest);
                    bytes.extend_from_slice(&handle);
                }
            }
            content_digest(&bytes)
        })
    }

    /// The output of the circuit for every group, in their order: what becomes answers. `keys` have to be those that the card asks for.
    pub fn selections(&self, request: &FindRequest, keys: &EvaluationKeys) -> Result<Vec<Ciphertext>, OperatorError> {
        self.each_selection(request, keys, Ok)
    }

    /// What `finish` makes of every output, as soon as it is computed.
    fn each_selection<T: Send>(
        &self,
        request: &FindRequest,
        keys: &EvaluationKeys,
        finish: impl Fn(Ciphertext) -> Result<T, Error> + Sync,
    ) -> Result<Vec<T>, OperatorError> {
        let shared = &self.shared;
        let circuit = FindCircuit::new(shared.layout, request.threshold, request.kind)?;
        let probe = Operand::fresh(request.probe.expand(shared.context())?);
        let select = |group: &Arc<Group>| {
            let sums = [&group.sums.tokens, &group.sums.payloads].map(|sum| Operand::fresh(sum.clone()));
            let [tokens, payloads] = sums;
            let outputs = circuit.run(&Evaluation::new(&shared.evaluator, keys), &[probe.clone(), tokens, payloads])?;
            finish(outputs.into_iter().next().ok_or(Error::Transparent)?.into_plain()?)
        };
        Ok(self.groups.par_iter().map(select).collect::<Result<_, Error>>()?)
    }

    /// The answers: one a group of the payloads, one for many groups of the number of matches.
    fn answers(&self, request: &FindRequest, keys: &EvaluationKeys) -> Result<Vec<Answer>, OperatorError> {
        let shared = &self.shared;
        match request.kind {
            FindKind::Tickets => {
                let all: Vec<u32> = (0..shared.layout.slots() as u32).collect();
                self.each_selection(request, keys, |selection| shared.evaluator.answer(selection, &all))
            }
            FindKind::Count => {
                let decisions = self.selections(request, keys)?;
                let size = groups_a_count(shared.layout);
                let parts = decisions.chunks(size).zip(self.groups.chunks(size));
                Ok(parts.map(|(part, groups)| self.count(part, groups, request.threshold)).collect::<Result<_, _>>()?)
            }
        }
    }

    /// The sum of all slots is `n` times coefficient 0, which alone can be opened from the answer; a participant's decision stands in 128 slots. An empty place has the score 0: where that
    /// matches, the number of empty places is subtracted.
    fn count(&self, decisions: &[Ciphertext], groups: &[Arc<Group>], threshold: i64) -> Result<Answer, Error> {
        let (evaluator, layout) = (&self.shared.evaluator, self.shared.layout);
        let (first, rest) = decisions.split_first().ok_or(Error::Transparent)?;
        let mut sum = first.clone();
        rest.iter().try_for_each(|next| evaluator.add_assign(&mut sum, next))?;
        let empty = groups.iter().flat_map(|group| group.occupied()).filter(|&occupied| !occupied).count();
        if threshold <= 0 && empty > 0 {
            let t = self.shared.context().plaintext_modulus();
            let share = t.inverse(t.reduce(layout.capacity() as u64)).ok_or(Error::LevelExhausted)?;
            sum = evaluator.add_constant(&sum, t.centre(t.mul(t.from_signed(-(empty as i64)), share)))?;
        }
        evaluator.answer(sum, &[0])
    }

    /// The answer to a request.
    pub fn find(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<FindAnswer, OperatorError> {
        let context = self.shared.context();
        if self.groups.is_empty() {
            return Err(OperatorError::Empty);
        }
        let decoded = FindRequest::from_bytes(request, context)?;
        if let Some(keys) = keys {
            context.same_parameters(Object::EvaluationKeys, keys.parameters())?;
        }
        let missing = self.shared.plan.missing_keys(keys);
        let keys = match keys {
            Some(keys) if missing.is_empty() => keys,
            _ => return Err(OperatorError::MissingKeys { missing, command: KEYGEN_COMMAND.to_owned() }),
        };
        Ok(FindAnswer {
            kind: decoded.kind,
            threshold: decoded.threshold,
            request_digest: content_digest(request),
            roster_digest: self.digest(),
            occupied: self.groups.iter().map(|group| group.occupied()).collect(),
            answers: self.answers(&decoded, keys)?,
        })
    }
}

impl Snapshot for FindSnapshot {
    fn evaluate(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        Ok(self.find(request, keys)?.to_bytes(self.shared.context())?)
    }

    fn digest(&self) -> [u8; 32] {
        Self::digest(self)
    }
}
