//! A room in memory: a copy of what the store has, under the version of which it is.
//!
//! Any number of services may have a copy. Requests name the version that the store has when they come, and are answered from a snapshot that is at least of that version: a
//! copy that is behind makes the changes that it lacks first. A change is computed on the copy and offered to the store on condition that nobody was faster; otherwise it is taken
//! back, the others' changes are made, and it begins again. Until the store has said yes, requests see the old snapshot, so nobody is answered from a record that may not be
//! there tomorrow. If the store fails, nobody knows whether it took the change: the copy is dropped and made again from the store. The same happens if the operator panics in the middle of
//! a change. A change is a task of its own (see `routes`), so that a client that goes away cannot stop it halfway.

use std::sync::{Arc, PoisonError, RwLock};

use blindrelay_engine::operator::{Collection, Handle, Operator, OperatorError, Snapshot};
use tokio::sync::Mutex;

use crate::compute::Place;
use crate::error::ApiError;
use crate::id::TenantId;
use crate::store::{Idempotency, NewRecord, Quota, RoomChange, Store, StoreError, StoredRecord, StoredRoom};

/// Changes that are read from the store at a time; some have megabytes.
const PAGE: usize = 32;

/// What a room without records takes, its entry in the cache included.
const EMPTY_BYTES: usize = 4096;

/// How often a change begins again because another service was faster.
const ATTEMPTS: usize = 64;

/// A collection, and the version of the room that it is.
struct Copy {
    collection: Box<dyn Collection>,
    version: u64,
}

/// What requests are answered from.
#[derive(Clone)]
struct Published {
    snapshot: Arc<dyn Snapshot>,
    version: u64,
    bytes: usize,
}

/// A room.
pub struct Room {
    tenant: TenantId,
    stored: StoredRoom,
    operator: Arc<dyn Operator>,
    /// Held from the beginning of a change to its end. `None`: to be made from the store.
    copy: Mutex<Option<Copy>>,
    published: RwLock<Published>,
}

impl Room {
    /// A room that is made from what the store has of it when it is used.
    pub fn new(tenant: TenantId, stored: StoredRoom, operator: Arc<dyn Operator>) -> Self {
        // What any room is at its first version: requests at it wait for nobody.
        let snapshot = operator.new_collection().snapshot();
        let published = RwLock::new(Published { snapshot, version: 0, bytes: 0 });
        Self { tenant, stored, operator, copy: Mutex::new(None), published }
    }

    /// What the store knows of the room.
    pub fn stored(&self) -> &StoredRoom {
        &self.stored
    }

    /// The room's operator.
    pub fn operator(&self) -> &Arc<dyn Operator> {
        &self.operator
    }

    /// Bytes that the room holds in memory, at least as many as one without records.
    pub fn byte_len(&self) -> usize {
        EMPTY_BYTES + self.published().bytes
    }

    fn published(&self) -> Published {
        self.published.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// What a request is answered from that found the room at this version, and the version that it is.
    pub async fn snapshot(
        &self,
        version: u64,
        store: &dyn Store,
        place: &Place,
    ) -> Result<(Arc<dyn Snapshot>, u64), ApiError> {
        let recent = || Some(self.published()).filter(|published| published.version >= version);
        if let Some(published) = recent() {
            return Ok((published.snapshot, published.version));
        }
        let mut current = self.copy.lock().await;
        if let Some(published) = recent() {
            return Ok((published.snapshot, published.version));
        }
        let copy = self.take(&mut current);
        let copy = self.catch_up(copy, store, place).await?;
        let (copy, snapshot) = self.publish(copy, place).await?;
        let version = copy.version;
        *current = Some(copy);
        Ok((snapshot, version))
    }

    /// Enrols the values of a record under new handles. A request that was answered before is answered again.
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
        let mut current = self.copy.lock().await;
        for _ in 0..ATTEMPTS {
            if let Some(request) = &idempotency
                && let Some(handles) = store.replay(&self.tenant, self.stored.room, request, count).await?
            {
                return Ok(handles);
            }
            let handles = (0..count).map(|_| Handle::random()).collect::<Result<Vec<_>, _>>()?;
            let mut copy = self.take(&mut current);
            if copy.version == 0 {
                copy = self.catch_up(copy, store, place).await?;
            }
            let (record, named) = (Arc::clone(&bytes), handles.clone());
            let add = move |collection: &mut dyn Collection| collection.append(&record, &named);
            let (copy, placement) = change(&mut current, copy, place, add).await?;
            let record = NewRecord {
                version: copy.version,
                bytes: Arc::clone(&bytes),
                handles: handles.clone(),
                placement,
                idempotency: idempotency.clone(),
            };
            match store.add_record(&self.tenant, self.stored.room, record, quota).await {
                Ok(version) => {
                    let (copy, _) = self.publish(Copy { version, ..copy }, place).await?;
                    *current = Some(copy);
                    return Ok(handles);
                }
                // Whether the store took the record is not known: the copy is dropped.
                Err(error @ StoreError::Unavailable(_)) => return Err(error.into()),
                Err(error) => {
                    let undo = move |collection: &mut dyn Collection| {
                        handles.iter().try_for_each(|&handle| collection.remove(handle))
                    };
                    let (copy, ()) = change(&mut None, copy, place, undo).await?;
                    let StoreError::Outdated { .. } = error else {
                        *current = Some(copy);
                        return Err(error.into());
                    };
                    *current = Some(self.catch_up(copy, store, place).await?);
                }
            }
        }
        Err(ApiError::Contended { what: "room" })
    }

    /// Removes a handle.
    pub async fn remove(&self, handle: Handle, store: &dyn Store, place: &Place) -> Result<(), ApiError> {
        let mut current = self.copy.lock().await;
        let version = store.remove_handle(&self.tenant, self.stored.room, handle).await?;
        // A copy that lacks more than this change makes all of them when it is used next.
        if let Some(copy) = current.take_if(|copy| copy.version + 1 == version) {
            let remove = move |collection: &mut dyn Collection| collection.remove(handle);
            let (copy, ()) = change(&mut None, copy, place, remove).await?;
            let (copy, _) = self.publish(Copy { version, ..copy }, place).await?;
            *current = Some(copy);
        }
        Ok(())
    }

    /// The copy, or an empty one where there is none.
    fn take(&self, current: &mut Option<Copy>) -> Copy {
        current.take().unwrap_or_else(|| Copy { collection: self.operator.new_collection(), version: 0 })
    }

    /// Makes the snapshot that requests are answered from now on.
    async fn publish(&self, copy: Copy, place: &Place) -> Result<(Copy, Arc<dyn Snapshot>), ApiError> {
        let view = move || {
            let (snapshot, bytes) = (copy.collection.snapshot(), copy.collection.byte_len());
            (Published { snapshot, version: copy.version, bytes }, copy)
        };
        let (published, copy) = place.run(view).await?;
        let snapshot = Arc::clone(&published.snapshot);
        *self.published.write().unwrap_or_else(PoisonError::into_inner) = published;
        Ok((copy, snapshot))
    }

    /// Makes the changes that a copy lacks, page by page.
    async fn catch_up(&self, mut copy: Copy, store: &dyn Store, place: &Place) -> Result<Copy, ApiError> {
        loop {
            let page = store.changes(&self.tenant, self.stored.room, copy.version, PAGE).await?;
            let full = page.changes.len() == PAGE;
            let make = move || {
                for change in page.changes {
                    copy.version = change.version();
                    make(copy.collection.as_mut(), change)?;
                }
                if !full {
                    copy.version = page.version;
                }
                Ok::<_, OperatorError>(copy)
            };
            // What is stored was accepted before: a refusal now is a fault of the service.
            copy = place.run(make).await?.map_err(|error| {
                ApiError::internal(format!("room {} cannot be made from the store: {error}", self.stored.room))
            })?;
            if !full {
                return Ok(copy);
            }
        }
    }
}

/// Makes a change that is in the store already. A removal may belong to a record that is gone.
fn make(collection: &mut dyn Collection, change: RoomChange) -> Result<(), OperatorError> {
    match change {
        RoomChange::Added { record: StoredRecord { bytes, handles, placement }, .. } => {
            collection.restore(&bytes, &handles, placement)
        }
        RoomChange::Removed { handle, .. } => match collection.remove(handle) {
            Err(OperatorError::UnknownHandle { .. }) => Ok(()),
            other => other,
        },
    }
}

/// Makes a change on a compute thread. A copy whose collection refuses the change is as it was and goes back to its place; one whose change panics is lost.
async fn change<T: Send + 'static>(
    current: &mut Option<Copy>,
    mut copy: Copy,
    place: &Place,
    change: impl FnOnce(&mut dyn Collection) -> Result<T, OperatorError> + Send + 'static,
) -> Result<(Copy, T), ApiError> {
    let job = move || match change(copy.collection.as_mut()) {
        Ok(made) => Ok((copy, made)),
        Err(error) => Err((copy, error)),
    };
    match place.run(job).await? {
        Ok(changed) => Ok(changed),
        Err((copy, error)) => {
            *current = Some(copy);
            Err(error.into())
        }
    }
}
