//! The service's side: a roster of encrypted tokens, and the scores of a probe against all of them.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use blindrelay_engine::bfv::{Ciphertext, Context, Evaluator, PreparedMultiplicand, SeededCiphertext};
use blindrelay_engine::noise::NoiseBound;
use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorCard, OperatorError, Placement, Snapshot};
use blindrelay_engine::params::Parameters;
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::{Header, Kind, Wire, WireError, content_digest};
use blindrelay_engine::{Error, Object};
use rayon::prelude::*;

use crate::layout::Layout;
use crate::message::{ScoredBlock, encode};
use crate::placing::{new_handles, placement};
use crate::plan::MatchKind;

/// The operator: scores of one kind of tokens.
pub struct Matching {
    kind: MatchKind,
    card: OperatorCard,
    evaluator: Evaluator,
}

impl Matching {
    /// The operator over prepared tables of the kind's parameter set.
    pub fn new(kind: MatchKind, context: &Arc<Context>) -> Result<Self, Error> {
        Ok(Self { kind, card: kind.card(context)?, evaluator: Evaluator::new(context) })
    }

    /// An empty roster.
    pub fn roster(&self) -> Roster {
        Roster {
            kind: self.kind,
            evaluator: self.evaluator.clone(),
            groups: BTreeMap::new(),
            next_group: 0,
            places: HashMap::new(),
        }
    }
}

impl Operator for Matching {
    fn card(&self) -> &OperatorCard {
        &self.card
    }

    fn parameters(&self) -> &Parameters {
        self.evaluator.context().parameters()
    }

    fn new_collection(&self) -> Box<dyn Collection> {
        Box::new(self.roster())
    }
}

/// A record as it was received, at its places in a group.
#[derive(Clone)]
struct Record {
    bytes: Arc<[u8]>,
    digest: [u8; 32],
    places: Range<usize>,
    alive: usize,
}

/// The tokens that share one ciphertext.
#[derive(Clone)]
struct Group {
    sum: PreparedMultiplicand,
    handles: Vec<Option<Handle>>,
    records: Vec<Record>,
}

impl Group {
    /// The first `count` neighbouring places that no record covers.
    fn free_places(&self, count: usize) -> Option<usize> {
        let mut covered: Vec<Range<usize>> = self.records.iter().map(|record| record.places.clone()).collect();
        covered.sort_by_key(|places| places.start);
        let mut start = 0;
        for places in covered {
            if places.start >= start + count {
                return Some(start);
            }
            start = start.max(places.end);
        }
        (start + count <= self.handles.len()).then_some(start)
    }
}

/// Encrypted tokens under one key, in groups of as many as share a ciphertext.
///
/// A record may carry one token or several. Its ciphertext is multiplied by a power of `X` to move it to free places of a group and added to the
/// group's sum; the bytes are kept, so that removing a record recomputes the sum from the others and leaves nothing of it behind. Removing some
/// of a record's tokens only stops their scores from being sent, until the last of them goes.
pub struct Roster {
    kind: MatchKind,
    evaluator: Evaluator,
    groups: BTreeMap<usize, Arc<Group>>,
    next_group: usize,
    places: HashMap<Handle, (usize, usize)>,
}

impl Roster {
    fn layout(&self) -> Layout {
        Layout::new(self.evaluator.context().parameters().degree())
    }

    /// The roster as it is now.
    pub fn view(&self) -> RosterSnapshot {
        RosterSnapshot {
            kind: self.kind,
            evaluator: self.evaluator.clone(),
            groups: self.groups.values().cloned().collect(),
            digest: OnceLock::new(),
        }
    }

    /// Refuses more handles than fit, and repeated ones.
    fn admit(&self, handles: &[Handle]) -> Result<(), OperatorError> {
        new_handles(handles, self.layout().capacity(), |handle| self.places.contains_key(handle))
    }

    fn place_record(&self, count: usize) -> (usize, usize) {
        // Newest groups first: older ones are usually full.
        let open = self.groups.iter().rev().take(64).find_map(|(&id, group)| Some((id, group.free_places(count)?)));
        open.unwrap_or((self.next_group, 0))
    }

    fn prepare_at(&self, bytes: &[u8], place: usize) -> Result<PreparedMultiplicand, OperatorError> {
        let record = decode(self.evaluator.context(), bytes)?;
        let moved = match place {
            0 => record,
            _ => self.evaluator.mul_monomial(&record, self.layout().shift(place))?,
        };
        Ok(self.evaluator.prepare(&moved)?)
    }

    /// Puts a record at the places from `start` on of group `id`, which may be new. On error nothing has changed.
    fn join(&mut self, id: usize, start: usize, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        let placement = placement(id, start, handles.len())?;
        let capacity = self.layout().capacity();
        let prepared = self.prepare_at(record, start)?;
        let mut group = match self.groups.get(&id) {
            Some(group) => {
                let mut group = Group::clone(group);
                self.evaluator.add_assign_prepared(&mut group.sum, &prepared)?;
                group
            }
            None => Group { sum: prepared, handles: vec![None; capacity], records: Vec::new() },
        };
        // A roster that a fresh probe could not be matched with is refused now, not when somebody asks.
        let fresh = NoiseBound::fresh_secret(self.evaluator.context().parameters().degree());
        MatchKind::noise(&self.evaluator, fresh, group.sum.noise())?;
        for ((place, slot), &handle) in group.handles.iter_mut().enumerate().skip(start).zip(handles) {
            *slot = Some(handle);
            self.places.insert(handle, (id, place));
        }
        let added = Record {
            bytes: record.into(),
            digest: content_digest(record),
            places: start..start + handles.len(),
            alive: handles.len(),
        };
        // In the order of places, not of arrival: the digest of equal rosters is the same.
        let index = group.records.partition_point(|record| record.places.start < start);
        group.records.insert(index, added);
        self.next_group = self.next_group.max(id + 1);
        self.groups.insert(id, Arc::new(group));
        Ok(placement)
    }
}

/// A record or probe: a fresh ciphertext with or without a seed, at the top level.
fn decode(context: &Context, bytes: &[u8]) -> Result<Ciphertext, OperatorError> {
    let fresh = NoiseBound::fresh_secret(context.parameters().degree());
    let ciphertext = match Header::parse(bytes)?.kind {
        Kind::SeededCiphertext => SeededCiphertext::from_bytes(bytes, context)?.expand(context)?,
        // A claimed bound below that of a fresh ciphertext would only hide noise from the checks of the sums.
        Kind::Ciphertext => Ciphertext::from_bytes(bytes, context)?.with_noise_of_at_least(fresh),
        found => return Err(WireError::Kind { expected: Kind::SeededCiphertext, found }.into()),
    };
    if ciphertext.rlwe().components().len() != 2 {
        let found = ciphertext.rlwe().components().len();
        return Err(Error::Components { operation: "matching", expected: 2, found }.into());
    }
    let top = context.parameters().top_level();
    if ciphertext.level() != top {
        return Err(Error::LevelMismatch { left: ciphertext.level(), right: top }.into());
    }
    Ok(ciphertext)
}

impl Collection for Roster {
    fn append(&mut self, record: &[u8], handles: &[Handle]) -> Result<Placement, OperatorError> {
        self.admit(handles)?;
        let (id, start) = self.place_record(handles.len());
        match self.join(id, start, record, handles) {
            // The group's neighbours leave no room for this record's noise: it begins a group of its own.
            Err(OperatorError::Refused(Error::Noise { .. })) if id < self.next_group => {
                self.join(self.next_group, 0, record, handles)
            }
            joined => joined,
        }
    }

    fn restore(&mut self, record: &[u8], handles: &[Handle], placement: Placement) -> Result<(), OperatorError> {
        self.admit(handles)?;
        let (id, start) = placement.indices();
        let refused = |reason| OperatorError::Placement { placement, count: handles.len(), reason };
        let places = start..start.saturating_add(handles.len());
        if places.end > self.layout().capacity() {
            return Err(refused("a group has fewer places"));
        }
        let free = |record: &Record| record.places.end <= places.start || record.places.start >= places.end;
        if self.groups.get(&id).is_some_and(|group| !group.records.iter().all(free)) {
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
        if let Some(record) = group.records.iter_mut().find(|record| record.places.contains(&place)) {
            record.alive -= 1;
        }
        let gone = group.records.iter().any(|record| record.alive == 0);
        group.records.retain(|record| record.alive > 0);
        if gone && !group.records.is_empty() {
            let mut sums = group.records.iter().map(|record| self.prepare_at(&record.bytes, record.places.start));
            if let Some(first) = sums.next() {
                let mut sum = first?;
                for next in sums {
                    self.evaluator.add_assign_prepared(&mut sum, &next?)?;
                }
                group.sum = sum;
            }
        }
        self.places.remove(&handle);
        if group.records.is_empty() {
            self.groups.remove(&id);
        } else {
            self.groups.insert(id, Arc::new(group));
        }
        Ok(())
    }

    fn handles(&self) -> Vec<Handle> {
        self.groups.values().flat_map(|group| group.handles.iter().flatten().copied()).collect()
    }

    fn byte_len(&self) -> usize {
        let records = |group: &Group| group.records.iter().map(|record| record.bytes.len()).sum::<usize>();
        self.groups.values().map(|group| group.sum.byte_len() + records(group)).sum()
    }

    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.view())
    }
}

/// A roster at one moment.
pub struct RosterSnapshot {
    kind: MatchKind,
    evaluator: Evaluator,
    groups: Vec<Arc<Group>>,
    digest: OnceLock<[u8; 32]>,
}

impl RosterSnapshot {
    /// SHA-256 over the digests of all records with their handles: what the scores were computed from.
    pub fn digest(&self) -> [u8; 32] {
        *self.digest.get_or_init(|| {
            let mut bytes = Vec::new();
            for group in &self.groups {
                for record in &group.records {
                    bytes.extend_from_slice(&record.digest);
                    for handle in group.handles.iter().skip(record.places.start).take(record.places.len()) {
                        bytes.extend_from_slice(handle.as_ref().map_or(&[0; 16], Handle::as_bytes).as_slice());
                    }
                }
            }
            content_digest(&bytes)
        })
    }

    /// The scores of a probe against every token, one block for each group: the product of the probe with the group's sum, relinearized where there is a
    /// key for it, cut to the coefficients that carry scores.
    pub fn scores(&self, probe: &Ciphertext, keys: Option<&EvaluationKeys>) -> Result<Vec<ScoredBlock>, OperatorError> {
        self.each_block(probe, keys, |block| block)
    }

    /// What `finish` makes of every block, as soon as it is computed.
    fn each_block<T: Send>(
        &self,
        probe: &Ciphertext,
        keys: Option<&EvaluationKeys>,
        finish: impl Fn(ScoredBlock) -> T + Sync,
    ) -> Result<Vec<T>, OperatorError> {
        let context = self.evaluator.context();
        if let Some(keys) = keys {
            context.same_parameters(Object::EvaluationKeys, keys.parameters())?;
        }
        let keys = keys.filter(|keys| keys.relinearization().is_some());
        self.groups.par_iter().map(|group| self.block(group, probe, keys).map(&finish)).collect()
    }

    fn block(
        &self,
        group: &Group,
        probe: &Ciphertext,
        keys: Option<&EvaluationKeys>,
    ) -> Result<ScoredBlock, OperatorError> {
        let layout = Layout::new(self.evaluator.context().parameters().degree());
        let enrolled = group.handles.iter().enumerate().filter_map(|(place, handle)| Some((place, (*handle)?)));
        let (positions, handles): (Vec<u32>, Vec<Handle>) =
            enrolled.map(|(place, handle)| (layout.score(place), handle)).unzip();
        let product = self.evaluator.multiply_prepared(probe, &group.sum)?;
        let product = match keys {
            Some(keys) => self.evaluator.relinearize(&product, keys)?,
            None => product,
        };
        Ok(ScoredBlock { handles, answer: self.evaluator.answer(product, &positions)? })
    }
}

impl Snapshot for RosterSnapshot {
    fn evaluate(&self, request: &[u8], keys: Option<&EvaluationKeys>) -> Result<Vec<u8>, OperatorError> {
        if self.groups.is_empty() {
            return Err(OperatorError::Empty);
        }
        let probe = decode(self.evaluator.context(), request)?;
        let blocks = self.each_block(&probe, keys, |block| block.encode())?;
        let digests = [content_digest(request), self.digest()];
        Ok(encode(self.kind, digests, blocks, self.evaluator.context().parameters())?)
    }

    fn digest(&self) -> [u8; 32] {
        Self::digest(self)
    }
}
