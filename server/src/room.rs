//! A room in memory: the collection that is changed, and the snapshot that requests are answered from.
//!
//! Order of a change: the collection first, because it checks the record and either takes all of it or nothing; then the store; then
//! the new snapshot is published. Until the store has said yes, requests see the old snapshot, so nobody is answered from a record
//! that may not be there tomorrow. If the store fails, nobody knows whether it took the change: the collection is dropped and made
//! again from the store before the next change, while requests go on with the published snapshot. The same happens if the operator
//! panics in the middle of a change, and at a start, when there is nothing yet. A change is a task of its own (see `routes`), so that a client
//! that goes away cannot stop it halfway.

use std::sync::{Arc, PoisonError, RwLock};

use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorError, Snapshot};
use tokio::sync::Mutex;

use crate::compute::Place;
use crate::error::ApiError;
use crate::id::TenantId;
use crate::store::{Idempotency, NewRecord, Quota, Store, StoreError, StoredRoom};

/// Records that are read from the store at a time; some have megabytes.
const REBUILD_PAGE: usize = 32;

/// A room.
pub struct Room {
    tenant: TenantId,
    stored: StoredRoom,
    operator: Arc<dyn Operator>,
    /// Held from the beginning of a change to its end. `None`: to be made again from the store.
    collection: Mutex<Option<Box<dyn Collection>>>,
    /// `None` until the room was made from the store.
    published: RwLock<Option<Arc<dyn Snapshot>>>,
}

impl Room {
    /// A room that was just made, with nothing in it.
    pub fn new(tenant: TenantId, stored: StoredRoom, operator: Arc<dyn Operator>) -> Self {
        let collection = operator.new_collection();
        let published = RwLock::new(Some(collection.snapshot()));
        Self { tenant, stored, operator, collection: Mutex::new(Some(collection)), published }
    }

    /// A room that is made from what the store has of it when it is used.
    pub fn of_store(tenant: TenantId, stored: StoredRoom, operator: Arc<dyn Operator>) -> Self {
        Self { tenant, stored, operator, collection: Mutex::new(None), published: RwLock::new(None) }
    }

    /// What the store knows of the room.
    pub fn stored(&self) -> &StoredRoom {
        &self.stored
    }

    /// The room's operator.
    pub fn operator(&self) -> &Arc<dyn Operator> {
        &self.operator
    }

    fn published(&self) -> Option<Arc<dyn Snapshot>> {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What requests are answered from now; made from the store where that has not been done yet.
    pub async fn snapshot(&self, store: &dyn Store, place: &Place) -> Result<Arc<dyn Snapshot>, ApiError> {
        if let Some(snapshot) = self.published() {
            return Ok(snapshot);
        }
        let mut current = self.collection.lock().await;
        if let Some(snapshot) = self.published() {
            return Ok(snapshot);
        }
        let collection = self.take(&mut current, store, place).await?;
        let (collection, snapshot) = place.run(move || with_snapshot(collection)).await?;
        self.publish(Arc::clone(&snapshot));
        *current = Some(collection);
        Ok(snapshot)
    }

    fn publish(&self, snapshot: Arc<dyn Snapshot>) {
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = Some(snapshot);
    }

    /// Appends a record of `count` values under new random handles, or answers what a request of the same name was answered with before.
    pub async fn append(
        &self,
        bytes: Arc<[u8]>,
        count: usize,
        idempotency: Option<Idempotency>,
        store: &dyn Store,
        quota: Quota,
        place: &Place,
    ) -> Result<Vec<Handle>, ApiError> {
        let capacity = self.operator.card().values_per_record;
        if count == 0 || count > capacity {
            return Err(OperatorError::ValueCount { found: count, capacity }.into());
        }
        let mut current = self.collection.lock().await;
        if let Some(request) = &idempotency
            && let Some(handles) = store.replay(&self.tenant, self.stored.room, request, count).await?
        {
            return Ok(handles);
        }
        let handles = (0..count).map(|_| Handle::random()).collect::<Result<Vec<_>, _>>()?;
        let collection = self.take(&mut current, store, place).await?;
        let record = NewRecord { bytes: Arc::clone(&bytes), handles: handles.clone(), idempotency };
        let named = handles.clone();
        let change = move |collection: &mut dyn Collection| collection.append(&bytes, &named);
        let (collection, snapshot) = apply(&mut current, collection, place, change).await?;
        store.add_record(&self.tenant, self.stored.room, record, quota).await?;
        self.publish(snapshot);
        *current = Some(collection);
        Ok(handles)
    }

    /// Removes a handle.
    pub async fn remove(&self, handle: Handle, store: &dyn Store, place: &Place) -> Result<(), ApiError> {
        let mut current = self.collection.lock().await;
        let collection = self.take(&mut current, store, place).await?;
        let change = move |collection: &mut dyn Collection| collection.remove(handle);
        let (collection, snapshot) = apply(&mut current, collection, place, change).await?;
        store.remove_handle(&self.tenant, self.stored.room, handle).await?;
        self.publish(snapshot);
        *current = Some(collection);
        Ok(())
    }

    /// Removes the room from the store, after the change that is going on.
    pub async fn delete(&self, store: &dyn Store) -> Result<(), StoreError> {
        let _no_change = self.collection.lock().await;
        store.remove_room(&self.tenant, self.stored.room).await
    }

    /// The collection, made again if it was lost.
    async fn take(
        &self,
        current: &mut Option<Box<dyn Collection>>,
        store: &dyn Store,
        place: &Place,
    ) -> Result<Box<dyn Collection>, ApiError> {
        match current.take() {
            Some(collection) => Ok(collection),
            None => self.read_back(store, place).await,
        }
    }

    /// A collection of all records that the store has, page by page, with the values that were removed taken out.
    async fn read_back(&self, store: &dyn Store, place: &Place) -> Result<Box<dyn Collection>, ApiError> {
        let mut collection = self.operator.new_collection();
        let mut after = None;
        loop {
            let page = store.records(&self.tenant, self.stored.room, after, REBUILD_PAGE).await?;
            let Some(last) = page.last() else { return Ok(collection) };
            after = Some(last.sequence);
            let refill = move || {
                for record in &page {
                    collection.append(&record.bytes, &record.handles)?;
                    record.removed.iter().try_for_each(|&handle| collection.remove(handle))?;
                }
                Ok::<_, OperatorError>(collection)
            };
            // What is stored was accepted before: a refusal now is a fault of the service.
            collection = place.run(refill).await?.map_err(|error| {
                ApiError::internal(format!("room {} cannot be made again: {error}", self.stored.room))
            })?;
        }
    }
}

type Changed = (Box<dyn Collection>, Arc<dyn Snapshot>);

fn with_snapshot(collection: Box<dyn Collection>) -> Changed {
    let snapshot = collection.snapshot();
    (collection, snapshot)
}

/// Makes a change on a compute thread. A collection that refuses the change is as it was and goes back to its place; one whose change panics is lost.
async fn apply(
    current: &mut Option<Box<dyn Collection>>,
    mut collection: Box<dyn Collection>,
    place: &Place,
    change: impl FnOnce(&mut dyn Collection) -> Result<(), OperatorError> + Send + 'static,
) -> Result<Changed, ApiError> {
    let job = move || match change(collection.as_mut()) {
        Ok(()) => Ok(with_snapshot(collection)),
        Err(error) => Err((collection, error)),
    };
    match place.run(job).await? {
        Ok(changed) => Ok(changed),
        Err((collection, error)) => {
            *current = Some(collection);
            Err(error.into())
        }
    }
}
