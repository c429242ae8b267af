//! The service's side: groups of records, and the answer of a request from all of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, OnceLock};

use blindrelay_engine::bfv::{Answer, Ciphertext, Context, Evaluator};
use blindrelay_engine::circuit::{Circuit, CircuitPlan, Evaluation, Operand};
use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorCard, OperatorError, Snapshot};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::content_digest;
use blindrelay_engine::{Error, Object};
use rayon::prelude::*;

use super::answer::FindAnswer;
use super::circuit::{FindCircuit, sum_noise};
use super::layout::FindLayout;
use super::plan::{KEYGEN_COMMAND, card, groups_a_count, worst_plan};
use super::record::FindRecord;
use super::request::{FindKind, FindRequest};

/// The operator `find-signs/1`.
pub struct Finding {
    card: OperatorCard,
    shared: Arc<Shared>,
}

/// What rosters and snapshots have in common.
struct Shared {
    evaluator: Evaluator,
    layout: FindLayout,
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

    /// An empty roster.
    pub fn roster(&self) -> FindRoster {
        FindRoster { shared: Arc::clone(&self.shared), groups: BTreeMap::new(), next_group: 0, places: HashMap::new() }
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

/// A record as it was received.
#[derive(Clone)]
struct Record {
    handle: Handle,
    bytes: Arc<[u8]>,
    digest: [u8; 32],
}

/// A record's ciphertexts, zero outside its place and one level lower; or sums of them.
#[derive(Clone)]
struct Masked {
    tokens: Ciphertext,
    payloads: Ciphertext,
}

/// The records that share two ciphertexts, by place.
#[derive(Clone)]
struct Group {
    sums: Masked,
    records: Vec<Option<Record>>,
}

impl Group {
    fn occupied(&self) -> Vec<bool> {
        self.records.iter().map(Option::is_some).collect()
    }

    fn free_place(&self) -> Option<usize> {
        self.records.iter().position(Option::is_none)
    }
}

impl Shared {
    fn context(&self) -> &Arc<Context> {
        self.evaluator.context()
    }

    /// The record times the mask of its place. Always the same residues for the same bytes and place.
    fn masked(&self, bytes: &[u8], place: usize) -> Result<Masked, OperatorError> {
        let context = self.context();
        let record = FindRecord::from_bytes(bytes, context)?;
        let mask = self.layout.mask(context, place)?;
        let at_place = |ciphertext: Ciphertext| {
            let masked = self.evaluator.mul_plain(&ciphertext, &mask)?;
            self.evaluator.switch_down(&masked)
        };
        let (tokens, payloads) =
            rayon::join(|| at_place(record.token.expand(context)?), || at_place(record.payload.expand(context)?));
        Ok(Masked { tokens: tokens?, payloads: payloads? })
    }

    /// `sum - one`, where `left` records stay in the sum: their ciphertexts are as if the record had never been there, and so is the bound.
    fn without(&self, sum: &Ciphertext, one: &Ciphertext, left: usize) -> Result<Ciphertext, Error> {
        let difference = self.evaluator.sub(sum, one)?;
        Ciphertext::new(self.context(), difference.rlwe().clone(), sum_noise(one.noise(), left))
    }

    /// `sum + one`, of `all` records in the sum.
    fn with(&self, sum: &Ciphertext, one: &Ciphertext, all: usize) -> Result<Ciphertext, Error> {
        let total = self.evaluator.add(sum, one)?;
        Ciphertext::new(self.context(), total.rlwe().clone(), sum_noise(one.noise(), all))
    }
}

/// Encrypted records under one key, in groups of as many as share a ciphertext.
///
/// The service multiplies every record by the mask of the place it chose, so whatever a record's slots hold, it reaches no other place. This is so for every proper encryption; bytes that encrypt
/// nothing can carry any noise, which no service can see and which spoils the group that they are in until they are removed.
///
/// A removal subtracts exactly what the enrolment added, computed again from the record's bytes: nothing of it stays in the sums.
pub struct FindRoster {
    shared: Arc<Shared>,
    groups: BTreeMap<usize, Arc<Group>>,
    next_group: usize,
    places: HashMap<Handle, (usize, usize)>,
}

impl FindRoster {
    /// The roster as it is now.
    pub fn view(&self) -> FindSnapshot {
        let groups = self.groups.values().cloned().collect();
        FindSnapshot { shared: Arc::clone(&self.shared), groups, digest: OnceLock::new() }
    }

    /// The first free place. Every group costs a whole evaluation, so gaps are filled first.
    fn free_place(&self) -> (usize, usize) {
        let open = self.groups.iter().find_map(|(&id, group)| Some((id, group.free_place()?)));
        open.unwrap_or((self.next_group, 0))
    }
}

impl Collection for FindRoster {
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<(), OperatorError> {
        let &[handle] = handles else {
            return Err(OperatorError::ValueCount { found: handles.len(), capacity: 1 });
        };
        if self.places.contains_key(&handle) {
            return Err(OperatorError::RepeatedHandle { handle });
        }
        let (id, place) = self.free_place();
        let masked = self.shared.masked(record, place)?;
        let (sums, mut records) = match self.groups.get(&id) {
            Some(group) => {
                let all = 1 + group.records.iter().flatten().count();
                let tokens = self.shared.with(&group.sums.tokens, &masked.tokens, all)?;
                let payloads = self.shared.with(&group.sums.payloads, &masked.payloads, all)?;
                (Masked { tokens, payloads }, group.records.clone())
            }
            None => (masked, vec![None; self.shared.layout.capacity()]),
        };
        if let Some(free) = records.get_mut(place) {
            *free = Some(Record { handle, bytes: record.into(), digest: content_digest(record) });
        }
        self.places.insert(handle, (id, place));
        self.next_group = self.next_group.max(id + 1);
        self.groups.insert(id, Arc::new(Group { sums, records }));
        Ok(())
    }

    fn remove(&mut self, handle: Handle) -> Result<(), OperatorError> {
        let unknown = OperatorError::UnknownHandle { handle };
        let &(id, place) = self.places.get(&handle).ok_or_else(|| unknown.clone())?;
        let group = self.groups.get(&id).ok_or_else(|| unknown.clone())?;
        let mut records = group.records.clone();
        let gone = records.get_mut(place).and_then(Option::take).ok_or(unknown)?;
        let left = records.iter().flatten().count();
        if left == 0 {
            self.groups.remove(&id);
        } else {
            let masked = self.shared.masked(&gone.bytes, place)?;
            let tokens = self.shared.without(&group.sums.tokens, &masked.tokens, left)?;
            let payloads = self.shared.without(&group.sums.payloads, &masked.payloads, left)?;
            self.groups.insert(id, Arc::new(Group { sums: Masked { tokens, payloads }, records }));
        }
        self.places.remove(&handle);
        Ok(())
    }

    fn handles(&self) -> Vec<Handle> {
        self.groups.values().flat_map(|group| group.records.iter().flatten().map(|record| record.handle)).collect()
    }

    fn byte_len(&self) -> usize {
        let ciphertext = |ciphertext: &Ciphertext| {
            ciphertext.rlwe().components().iter().map(|poly| size_of_val(poly.residues())).sum::<usize>()
        };
        let group = |group: &Group| {
            let records: usize = group.records.iter().flatten().map(|record| record.bytes.len()).sum();
            records + ciphertext(&group.sums.tokens) + ciphertext(&group.sums.payloads)
        };
        self.groups.values().map(|shared| group(shared)).sum()
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.view())
    }
}

/// A roster at one moment.
pub struct FindSnapshot {
    shared: Arc<Shared>,
    groups: Vec<Arc<Group>>,
    digest: OnceLock<[u8; 32]>,
}

impl FindSnapshot {
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
}
