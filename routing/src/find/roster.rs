//! Groups of records: enrolment and removal.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::Ciphertext;
use blindrelay_engine::operator::{Collection, Handle, OperatorError, Placement, Snapshot};
use blindrelay_engine::wire::content_digest;

use super::circuit::sum_noise;
use super::evaluate::{FindSnapshot, Shared};
use super::record::FindRecord;
use crate::placing::{new_handles, placement};

/// A record as it was received.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) handle: Handle,
    bytes: Arc<[u8]>,
    pub(super) digest: [u8; 32],
}

/// A record's ciphertexts, zero outside its place and one level lower; or sums of them.
#[derive(Clone)]
pub(super) struct Masked {
    pub(super) tokens: Ciphertext,
    pub(super) payloads: Ciphertext,
}

/// The records that share two ciphertexts, by place.
#[derive(Clone)]
pub(super) struct Group {
    pub(super) sums: Masked,
    pub(super) records: Vec<Option<Record>>,
}

impl Group {
    /// Which places are taken.
    pub(super) fn occupied(&self) -> Vec<bool> {
        self.records.iter().map(Option::is_some).collect()
    }

    fn free_place(&self) -> Option<usize> {
        self.records.iter().position(Option::is_none)
    }
}

impl Shared {
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
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, groups: BTreeMap::new(), next_group: 0, places: HashMap::new() }
    }

    /// The roster as it is now.
    pub fn view(&self) -> FindSnapshot {
        FindSnapshot::new(Arc::clone(&self.shared), self.groups.values().cloned().collect())
    }

    /// The first free place. Every group costs a whole evaluation, so gaps are filled first.
    fn free_place(&self) -> (usize, usize) {
        let open = self.groups.iter().find_map(|(&id, group)| Some((id, group.free_place()?)));
        open.unwrap_or((self.next_group, 0))
    }

    /// The only handle of a record, which must be new.
    fn admit(&self, handles: &[Handle]) -> Result<Handle, OperatorError> {
        new_handles(handles, 1, |handle| self.places.contains_key(handle))?;
        handles.first().copied().ok_or(OperatorError::ValueCount { found: 0, capacity: 1 })
    }

    /// Puts a record at a free place of group `id`, which may be new. On error nothing has changed.
    fn join(&mut self, id: usize, place: usize, record: &[u8], handle: Handle) -> Result<Placement, OperatorError> {
        let placement = placement(id, place, 1)?;
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
        Ok(placement)
    }
}

impl Collection for FindRoster {
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        let handle = self.admit(handles)?;
        let (id, place) = self.free_place();
        self.join(id, place, record, handle)
    }

    fn restore(&mut self, record: &[u8], handles: &[Handle], placement: Placement) -> Result<(), OperatorError> {
        let handle = self.admit(handles)?;
        let (id, place) = placement.indices();
        let refused = |reason| OperatorError::Placement { placement, count: 1, reason };
        if place >= self.shared.layout.capacity() {
            return Err(refused("a group has fewer places"));
        }
        if self.groups.get(&id).is_some_and(|group| group.records.get(place).is_some_and(Option::is_some)) {
            return Err(refused("another record stands there"));
        }
        self.join(id, place, record, handle).map(drop)
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
