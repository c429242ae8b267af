//! Work on ledgers: batches and merges that count once, and reports.
//!
//! The process keeps nothing of a ledger between requests. A change takes the sums from the store, adds to them on a compute thread, and writes them
//! back together with the record of its request, on condition that nobody else was faster; otherwise it begins again with the sums as they are now.
//! So a change is in the sums exactly when its record is there, whatever happens to client, process or operator in between. A change is
//! a task of its own (see `routes`), so that a client that goes away does not stop it halfway.

use std::sync::Arc;

use blindrelay_engine::operator::{Accumulation, Accumulator, OperatorError};
use blindrelay_engine::rlwe::EvaluationKeys;
use blindrelay_engine::wire::content_digest;
use tokio::sync::Mutex;

use crate::access::Caller;
use crate::compute::Place;
use crate::error::{ApiError, MergeError, Resource};
use crate::id::{BodyDigest, IdempotencyKey};
use crate::receipts::{self, Draft, Outcome, Sent, Source, Subject, dress};
use crate::state::AppState;
use crate::store::{Idempotency, LedgerChange, LedgerName, StoreError, StoredLedger, Turn};
use crate::telemetry::operator;

/// Locks of a process. Ledgers share them by their random ids, which costs a little waiting and no bookkeeping.
const LOCKS: usize = 1024;

/// How often a change begins again because another process was faster.
const ATTEMPTS: usize = 64;

/// Lets changes of one ledger in this process come one after the other, where they would only be in each other's way. Nothing depends on it: the store
/// refuses what was computed from old sums.
pub(crate) struct ChangeLocks(Vec<Mutex<()>>);

impl Default for ChangeLocks {
    fn default() -> Self {
        Self(std::iter::repeat_with(Mutex::default).take(LOCKS).collect())
    }
}

impl ChangeLocks {
    fn of(&self, name: LedgerName) -> Option<&Mutex<()>> {
        let [low, high, ..] = *name.id.as_bytes();
        self.0.get(usize::from(u16::from_le_bytes([low, high])) % LOCKS)
    }
}

/// A ledger of a tenant whose operator is offered.
pub(crate) struct Ledger {
    caller: Caller,
    stored: StoredLedger,
    operator: Arc<dyn Accumulation>,
}

/// What refuses a change or a report.
enum Refusal {
    /// The sums that are stored.
    Stored(OperatorError),
    /// What was sent.
    Sent(OperatorError),
}

impl Ledger {
    /// 404 where the tenant has no such ledger in this family, 410 where its operator is gone.
    pub(crate) async fn open(state: &AppState, caller: Caller, name: LedgerName) -> Result<Self, ApiError> {
        let found = state.store().ledger(&caller.tenant, name).await?;
        let (stored, _) = found.ok_or(ApiError::Unknown(Resource::Ledger(name.family)))?;
        match state.registry().accumulation(&stored.operator) {
            Some((family, operator)) if family == name.family => {
                operator::note(&stored.operator);
                let operator = Arc::clone(operator);
                Ok(Self { caller, stored, operator })
            }
            _ => Err(ApiError::Retired {
                what: name.family.singular(),
                id: name.id.to_string(),
                operator: stored.operator,
            }),
        }
    }

    pub(crate) fn operator(&self) -> &Arc<dyn Accumulation> {
        &self.operator
    }

    async fn keys(&self, state: &AppState, place: &Place) -> Result<Option<Arc<EvaluationKeys>>, ApiError> {
        match self.stored.evaluation_keys {
            Some(digest) => state.evaluation_keys(&self.caller.tenant, digest, place).await.map(Some),
            None => Ok(None),
        }
    }

    /// Adds a batch; the number of batches in the sums from then on.
    pub(crate) async fn append(
        &self,
        state: &AppState,
        batch: Vec<u8>,
        key: IdempotencyKey,
        place: &Place,
    ) -> Result<u64, ApiError> {
        let keys = self.keys(state, place).await?;
        let batch = Arc::new(batch);
        let hashed = Arc::clone(&batch);
        let body = place.run(move || BodyDigest::of(&hashed)).await?;
        let add = move |sums: &mut dyn Accumulator| sums.append(&batch, keys.as_deref());
        self.change(state, Idempotency { key, body }, add, place).await
    }

    /// Adds the present sums of another ledger, which stays as it is; the number of batches in the sums from then on.
    pub(crate) async fn merge(
        &self,
        state: &AppState,
        from: LedgerName,
        request: Idempotency,
        place: &Place,
    ) -> Result<u64, ApiError> {
        // A repeated request is answered from its record, also if the other ledger has gone since.
        if let Turn::Answered(batches) = state.store().turn(&self.caller.tenant, self.stored.name, &request).await? {
            return Ok(batches);
        }
        if from == self.stored.name {
            return Err(MergeError::Itself { from: from.id }.into());
        }
        let other = state.store().ledger(&self.caller.tenant, from).await?;
        let (other, _) = other.ok_or(ApiError::Unknown(Resource::Ledger(from.family)))?;
        if other.operator != self.stored.operator {
            let (found, expected) = (other.operator, self.stored.operator.clone());
            return Err(MergeError::Operator { from: from.id, found, expected }.into());
        }
        if other.settings != self.stored.settings {
            return Err(MergeError::Settings { from: from.id }.into());
        }
        let added = state.store().sums(&self.caller.tenant, from).await?.sums;
        self.change(state, request, move |sums| sums.merge(&added), place).await
    }

    /// Adds to the sums, once for each request.
    async fn change(
        &self,
        state: &AppState,
        request: Idempotency,
        add: impl Fn(&mut dyn Accumulator) -> Result<(), OperatorError> + Send + Sync + 'static,
        place: &Place,
    ) -> Result<u64, ApiError> {
        let (store, name) = (state.store(), self.stored.name);
        let add = Arc::new(add);
        let _first = match state.ledger_changes().of(name) {
            Some(lock) => Some(lock.lock().await),
            None => None,
        };
        for _ in 0..ATTEMPTS {
            let found = match store.turn(&self.caller.tenant, name, &request).await? {
                Turn::Answered(batches) => return Ok(batches),
                Turn::Open(found) => found,
            };
            let add = Arc::clone(&add);
            let work = move |sums: &mut dyn Accumulator| {
                add(sums)?;
                Ok((Arc::from(sums.to_bytes()), sums.batches()))
            };
            let (sums, batches) = self.with_sums(found.sums, work, place).await?;
            let change = LedgerChange { version: found.version, sums, batches, request: request.clone() };
            match store.change_ledger(&self.caller.tenant, name, change, state.quota(&self.caller)).await {
                Ok(()) => return Ok(batches),
                Err(StoreError::Outdated { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(ApiError::Contended { what: name.family.singular() })
    }

    /// The operator's answer from the sums as they are now, with a receipt where one is wanted.
    pub(crate) async fn report(
        &self,
        state: &AppState,
        receipted: bool,
        request: Vec<u8>,
        place: &Place,
    ) -> Result<Sent, ApiError> {
        let keys = self.keys(state, place).await?;
        let request: Arc<[u8]> = request.into();
        let LedgerName { family, id } = self.stored.name;
        let subject = Subject::Ledger(family, *id.as_bytes());
        let (card, parameters) = (self.operator.card(), self.operator.parameters().digest());
        for _ in 0..receipts::ATTEMPTS {
            let draft = receipted.then(|| Draft::new(state, card, parameters, self.stored.evaluation_keys, &subject));
            let found = state.store().sums(&self.caller.tenant, self.stored.name).await?;
            let (version, content) = (found.version, Arc::clone(&found.sums));
            let (sent, keys) = (Arc::clone(&request), keys.clone());
            let work = move |sums: &mut dyn Accumulator| {
                let answer = match sums.report(&sent, keys.as_deref()) {
                    Err(OperatorError::Empty) => {
                        return Err(OperatorError::TooFewContributions { found: 0, needed: 1 });
                    }
                    other => other?,
                };
                Ok(dress(draft, &sent, answer, || Source { version, content: content_digest(&content) }))
            };
            let answer = self.with_sums(found.sums, work, place).await??;
            if let Outcome::Ready(sent) = answer.keep(state, &self.caller, &request).await? {
                return Ok(sent);
            }
        }
        Err(ApiError::Contended { what: family.singular() })
    }

    /// Decodes sums and works with them, on a compute thread.
    async fn with_sums<T: Send + 'static>(
        &self,
        sums: Arc<[u8]>,
        work: impl FnOnce(&mut dyn Accumulator) -> Result<T, OperatorError> + Send + 'static,
        place: &Place,
    ) -> Result<T, ApiError> {
        let (operator, settings) = (Arc::clone(&self.operator), Arc::clone(&self.stored.settings));
        let job = move || {
            let mut sums = operator.restore(&settings, &sums).map_err(Refusal::Stored)?;
            work(sums.as_mut()).map_err(Refusal::Sent)
        };
        place.run(job).await?.map_err(|refusal| match refusal {
            Refusal::Sent(error) => error.into(),
            // What is stored was written by the operator: a refusal now is a fault of the service.
            Refusal::Stored(error) => {
                let LedgerName { family, id } = self.stored.name;
                ApiError::internal(format!("{} {id} cannot be read: {error}", family.singular()))
            }
        })
    }
}
