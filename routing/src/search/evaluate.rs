//! The service's side: a roster of encrypted keywords, and the masked differences of a query to all of them.
//!
//! The service needs randomness that nobody else knows, and an operator draws none. So it is given a secret when it is made, and derives from it and from the
//! digests of request and records what it needs. The same request on the same records has the same answer, bit for bit; whoever holds the secret can compute an answer again.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::Arc;

use blindrelay_engine::Error;
use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator, SeededCiphertext};
use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorCard, OperatorError, Placement, Snapshot};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::ring::Seed;
use blindrelay_engine::rlwe::{EvaluationKeys, PublicKey};
use blindrelay_engine::wire::{Header, Kind, Wire, WireError, content_digest};
use rayon::prelude::*;

use super::layout::SearchLayout;
use super::message::{SearchRequest, SearchedBlock, encode};
use super::plan::SearchPlan;
use crate::placing::{new_handles, placement};

/// What every roster and snapshot of an operator shares.
struct Shared {
    evaluator: Evaluator,
    plan: SearchPlan,
    secret: Seed,
}

impl Shared {
    fn layout(&self) -> SearchLayout {
        SearchLayout::new(self.evaluator.context().parameters().degree())
    }
}

/// The operator.
pub struct Searching {
    card: OperatorCard,
    shared: Arc<Shared>,
}

impl Searching {
    /// The operator over prepared tables. `secret` stays with the service: who has it and an opened answer can undo the masks.
    pub fn new(context: &Arc<Context>, secret: Seed) -> Result<Self, Error> {
        let plan = SearchPlan::new(context)?;
        let evaluator = Evaluator::new(context);
        Ok(Self { card: plan.card(context), shared: Arc::new(Shared { evaluator, plan, secret }) })
    }

    /// An empty roster.
    pub fn roster(&self) -> SearchRoster {
        SearchRoster {
            shared: Arc::clone(&self.shared),
            groups: BTreeMap::new(),
            next_group: 0,
            places: HashMap::new(),
        }
    }
}

impl Operator for Searching {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        self.shared.evaluator.context().parameters()
    }

    fn new_collection(&self) -> Box<dyn Collection> {
        Box::new(self.roster())
    }

    fn has_secret(&self) -> bool {
        true
    }
}

/// A record as it was received, at its places in a group.
#[derive(Clone)]
struct Record {
    bytes: Arc<[u8]>,
    digest: [u8; 32],
    places: Range<usize>,
}

/// The participants that share one ciphertext.
#[derive(Clone)]
struct Group {
    sum: Ciphertext,
    handles: Vec<Option<Handle>>,
    records: Vec<Record>,
}

impl Group {
    /// The first `period` neighbouring places that begin at a multiple of it and that no record covers.
    fn free_places(&self, period: usize) -> Option<usize> {
        (0..self.handles.len()).step_by(period).find(|&start| self.is_free(start..start + period))
    }

    /// Whether no record covers any of the places.
    fn is_free(&self, places: Range<usize>) -> bool {
        self.records.iter().all(|record| record.places.end <= places.start || record.places.start >= places.end)
    }

    /// Digest of the number of the group, of its records with their places, and of who is enrolled at which place.
    fn digest(&self, id: usize) -> [u8; 32] {
        let mut bytes = (id as u64).to_le_bytes().to_vec();
        for record in &self.records {
            bytes.extend_from_slice(&record.digest);
            bytes.extend_from_slice(&(record.places.start as u64).to_le_bytes());
            bytes.extend_from_slice(&(record.places.end as u64).to_le_bytes());
        }
        for handle in &self.handles {
            bytes.extend_from_slice(handle.as_ref().map_or([0; 16].as_slice(), |handle| handle.as_bytes()));
        }
        content_digest(&bytes)
    }
}

/// Encrypted keywords under one key, in groups of as many participants as share a ciphertext.
///
/// A record may carry one participant or several. Its ciphertext is multiplied by the mask of its places and added to the group's sum; the bytes are kept, so that removing
/// a participant computes the sum again without that participant's slots, even where others of the same record stay.
pub struct SearchRoster {
    shared: Arc<Shared>,
    groups: BTreeMap<usize, Arc<Group>>,
    next_group: usize,
    places: HashMap<Handle, (usize, usize)>,
}

impl SearchRoster {
    /// The roster as it is now.
    pub fn view(&self) -> SearchSnapshot {
        let groups = self.groups.iter().map(|(&id, group)| (group.digest(id), Arc::clone(group))).collect();
        SearchSnapshot { shared: Arc::clone(&self.shared), groups }
    }

    fn place_record(&self, period: usize) -> (usize, usize) {
        // Newest groups first: older ones are usually full.
        let open = self.groups.iter().rev().take(64).find_map(|(&id, group)| Some((id, group.free_places(period)?)));
        open.unwrap_or((self.next_group, 0))
    }

    /// Refuses more handles than fit, and repeated ones.
    fn admit(&self, handles: &[Handle]) -> Result<(), OperatorError> {
        new_handles(handles, self.shared.layout().capacity(), |handle| self.places.contains_key(handle))
    }

    /// Puts a record at free places of group `id`, which may be new. On error nothing has changed.
    fn join(&mut self, id: usize, start: usize, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        let placement = placement(id, start, handles.len())?;
        let layout = self.shared.layout();
        let places = start..start + layout.period(handles.len());
        let mut placed = match self.groups.get(&id) {
            Some(group) => group.handles.clone(),
            None => vec![None; layout.capacity()],
        };
        placed.iter_mut().skip(start).zip(handles).for_each(|(place, &handle)| *place = Some(handle));
        let masked = self.masked(record, &places, &placed)?;
        let added = Record { bytes: record.into(), digest: content_digest(record), places };
        let group = match self.groups.get(&id) {
            Some(group) => {
                let sum = self.shared.evaluator.add(&group.sum, &masked)?;
                let mut records = group.records.clone();
                // In the order of places, not of arrival: the digest of equal rosters is the same.
                records.insert(records.partition_point(|record| record.places.start < start), added);
                Group { sum, handles: placed, records }
            }
            None => Group { sum: masked, handles: placed, records: vec![added] },
        };
        self.places.extend(handles.iter().enumerate().map(|(index, &handle)| (handle, (id, start + index))));
        self.next_group = self.next_group.max(id + 1);
        self.groups.insert(id, Arc::new(group));
        Ok(placement)
    }

    /// The record in the slots of those of its places at which somebody is enrolled.
    fn masked(
        &self,
        bytes: &[u8],
        places: &Range<usize>,
        handles: &[Option<Handle>],
    ) -> Result<Ciphertext, OperatorError> {
        let evaluator = &self.shared.evaluator;
        let (context, layout) = (evaluator.context(), self.shared.layout());
        let record = match Header::parse(bytes)?.kind {
            Kind::SeededCiphertext => SeededCiphertext::from_bytes(bytes, context)?.expand(context)?,
            found => return Err(WireError::Kind { expected: Kind::SeededCiphertext, found }.into()),
        };
        let mut mask = vec![0; layout.slots()];
        for place in places.clone().filter(|&place| handles.get(place).is_some_and(Option::is_some)) {
            mask.get_mut(layout.participant(place)).unwrap_or_default().fill(1);
        }
        Ok(evaluator.mul_plain(&record, &context.encode_slots(&mask)?)?)
    }
}

impl Collection for SearchRoster {
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        self.admit(handles)?;
        let (id, start) = self.place_record(self.shared.layout().period(handles.len()));
        self.join(id, start, record, handles)
    }

    fn restore(&mut self, record: &[u8], handles: &[Handle], placement: Placement) -> Result<(), OperatorError> {
        self.admit(handles)?;
        let (id, start) = placement.indices();
        let refused = |reason| OperatorError::Placement { placement, count: handles.len(), reason };
        let layout = self.shared.layout();
        let period = layout.period(handles.len());
        if !start.is_multiple_of(period) || start.saturating_add(period) > layout.capacity() {
            return Err(refused("no record of so many values begins there"));
        }
        if self.groups.get(&id).is_some_and(|group| !group.is_free(start..start + period)) {
            return Err(refused("another record stands there"));
        }
        self.join(id, start, record, handles).map(drop)
    }

    fn remove(&mut self, handle: Handle) -> Result<(), OperatorError> {
        let unknown = OperatorError::UnknownHandle { handle };
        let &(id, place) = self.places.get(&handle).ok_or_else(|| unknown.clone())?;
        let mut group = self.groups.get(&id).map(|group| Group::clone(group)).ok_or(unknown)?;
        if let Some(slot) = group.handles.get_mut(place) {
            *slot = None;
        }
        let Group { sum, handles, records } = &mut group;
        records.retain(|record| handles.get(record.places.clone()).is_some_and(|all| all.iter().any(Option::is_some)));
        // From the records, and not by subtraction: a bound on noise would grow with every change.
        let masked = records.par_iter().map(|record| self.masked(&record.bytes, &record.places, handles));
        let mut parts = masked.collect::<Result<Vec<_>, _>>()?.into_iter();
        match parts.next() {
            Some(mut total) => {
                for part in parts {
                    self.shared.evaluator.add_assign(&mut total, &part)?;
                }
                *sum = total;
                self.groups.insert(id, Arc::new(group));
            }
            None => {
                self.groups.remove(&id);
            }
        }
        self.places.remove(&handle);
        Ok(())
    }

    fn handles(&self) -> Vec<Handle> {
        self.groups.values().flat_map(|group| group.handles.iter().flatten().copied()).collect()
    }

    fn byte_len(&self) -> usize {
        let sum =
            |sum: &Ciphertext| sum.rlwe().components().iter().map(|poly| size_of_val(poly.residues())).sum::<usize>();
        let records = |group: &Group| group.records.iter().map(|record| record.bytes.len()).sum::<usize>();
        self.groups.values().map(|group| sum(&group.sum) + records(group)).sum()
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.view())
    }
}

/// A roster at one moment.
pub struct SearchSnapshot {
    shared: Arc<Shared>,
    groups: Vec<([u8; 32], Arc<Group>)>,
}

impl SearchSnapshot {
    /// SHA-256 over the digests of all groups: what the answer was computed from.
    pub fn digest(&self) -> [u8; 32] {
        content_digest(&self.groups.iter().flat_map(|(digest, _)| *digest).collect::<Vec<u8>>())
    }

    /// The masked differences of a query, named by the digest of its request, to all keywords: one ciphertext a group, before it becomes an answer.
    pub fn differences(
        &self,
        query: &Ciphertext,
        key: &PublicKey,
        request_digest: [u8; 32],
    ) -> Result<Vec<Ciphertext>, OperatorError> {
        self.groups.par_iter().map(|group| self.difference(group, query, key, request_digest)).collect()
    }

    fn difference(
        &self,
        (digest, group): &([u8; 32], Arc<Group>),
        query: &Ciphertext,
        key: &PublicKey,
        request_digest: [u8; 32],
    ) -> Result<Ciphertext, OperatorError> {
        let Shared { evaluator, plan, secret } = &*self.shared;
        let context = evaluator.context();
        let seed = secret.derive("search/group", &[request_digest, *digest].concat());
        let factors = context.nonzero_slots(&seed.derive("search/factors", &[]))?;
        let difference = evaluator.sub(query, &group.sum)?;
        let product = evaluator.mul_plain(&difference, &factors)?;
        Ok(evaluator.rerandomize(&product, key, plan.flood, &seed.derive("search/mask", &[]))?)
    }
}

impl Snapshot for SearchSnapshot {
    fn evaluate(&self, request: &[u8], _: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        if self.groups.is_empty() {
            return Err(OperatorError::Empty);
        }
        let context = self.shared.evaluator.context();
        let parameters = context.parameters();
        let SearchRequest { query, public_key } = SearchRequest::from_bytes(request, context)?;
        let query = query.expand(context)?;
        let request_digest = content_digest(request);
        let positions: Vec<u32> = (0..parameters.degree() as u32).collect();
        let block = |entry: &([u8; 32], Arc<Group>)| {
            let masked = self.difference(entry, &query, &public_key, request_digest)?;
            let participants = (0..).zip(&entry.1.handles).filter_map(|(place, handle)| Some((place, (*handle)?)));
            let answer = self.shared.evaluator.answer(masked, &positions)?;
            Ok::<_, OperatorError>(SearchedBlock { participants: participants.collect(), answer }.encode())
        };
        let blocks = self.groups.par_iter().map(block).collect::<Result<Vec<_>, _>>()?;
        Ok(encode([request_digest, self.digest()], blocks, parameters)?)
    }

    fn digest(&self) -> [u8; 32] {
        Self::digest(self)
    }
}
