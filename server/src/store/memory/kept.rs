//! What is set aside in memory for receipts, beside the receipts themselves.

use std::collections::BTreeMap;
use std::sync::Arc;

use blindrelay_trust::{Receipt, ReceiptId};

use super::room::{Record, Removal, Room};
use crate::id::{BodyDigest, RoomId};
use crate::store::{LedgerName, LedgerState, ReceiptSubject, StoredLedger, StoredReceipt, StoredRoom};
use crate::time::{Day, UnixMillis};

pub(super) struct KeptReceipt {
    pub(super) stored: StoredReceipt,
    pub(super) day: Day,
    pub(super) request: Arc<[u8]>,
    pub(super) charge: u64,
}

pub(super) struct KeptRecord {
    pub(super) record: Record,
    /// The version of the room that did not have it any more.
    pub(super) gone: u64,
}

/// Receipts of a tenant, and what they were computed from that is not there any more.
#[derive(Default)]
pub(super) struct Kept {
    pub(super) receipts: BTreeMap<ReceiptId, KeptReceipt>,
    pub(super) rooms: BTreeMap<RoomId, (StoredRoom, BTreeMap<u64, Removal>)>,
    pub(super) records: BTreeMap<(RoomId, u64), KeptRecord>,
    pub(super) ledgers: BTreeMap<LedgerName, StoredLedger>,
    pub(super) sums: BTreeMap<(LedgerName, u64), Arc<[u8]>>,
    pub(super) keys: BTreeMap<BodyDigest, Arc<[u8]>>,
}

impl Kept {
    fn any(&self, wanted: impl Fn(&Receipt) -> bool) -> bool {
        self.receipts.values().any(|kept| wanted(kept.stored.signed.receipt()))
    }

    fn needs_room(&self, room: RoomId) -> bool {
        self.any(|receipt| ReceiptSubject::of(receipt) == ReceiptSubject::Room(room))
    }

    /// Whether a receipt is of a version of the room that had a record.
    fn needs_record(&self, room: RoomId, added: u64, gone: u64) -> bool {
        let had = |version| added <= version && version < gone;
        self.any(|receipt| ReceiptSubject::of(receipt) == ReceiptSubject::Room(room) && had(receipt.collection.version))
    }

    fn needs_ledger(&self, name: LedgerName) -> bool {
        self.any(|receipt| ReceiptSubject::of(receipt) == ReceiptSubject::Ledger(name))
    }

    pub(super) fn needs_sums(&self, name: LedgerName, version: u64) -> bool {
        self.any(|receipt| {
            ReceiptSubject::of(receipt) == ReceiptSubject::Ledger(name) && receipt.collection.version == version
        })
    }

    fn needs_keys(&self, digest: BodyDigest) -> bool {
        self.any(|receipt| receipt.evaluation_keys.is_some_and(|keys| keys.as_bytes() == digest.as_bytes()))
    }

    /// Sets a record aside that goes, if a receipt needs it.
    pub(super) fn take_record(&mut self, room: RoomId, added: u64, record: Record, gone: u64) -> bool {
        let needed = self.needs_record(room, added, gone);
        if needed {
            self.records.insert((room, added), KeptRecord { record, gone });
        }
        needed
    }

    /// Sets aside what receipts need of a room that goes; what this is charged.
    pub(super) fn take_room(&mut self, room: Room) -> u64 {
        let id = room.stored.room;
        if !self.needs_room(id) {
            return 0;
        }
        let mut aside = 0;
        for (added, record) in room.records {
            let charge = record.charge;
            if self.take_record(id, added, record, room.version + 1) {
                aside += charge;
            }
        }
        self.rooms.insert(id, (room.stored, room.removals));
        aside
    }

    /// Sets sums aside that are replaced or removed, if a receipt needs them.
    pub(super) fn take_sums(&mut self, name: LedgerName, state: &LedgerState) -> bool {
        let needed = self.needs_sums(name, state.version);
        if needed {
            self.sums.insert((name, state.version), Arc::clone(&state.sums));
        }
        needed
    }

    /// Sets a ledger aside that is removed, if a receipt needs it.
    pub(super) fn take_ledger(&mut self, ledger: &StoredLedger) -> bool {
        let needed = self.needs_ledger(ledger.name);
        if needed {
            self.ledgers.insert(ledger.name, ledger.clone());
        }
        needed
    }

    /// Sets keys aside that are removed, if a receipt needs them and they are not here already.
    pub(super) fn take_keys(&mut self, digest: BodyDigest, bytes: Arc<[u8]>) -> bool {
        self.needs_keys(digest) && self.keys.insert(digest, bytes).is_none()
    }

    /// Drops receipts, and what no other one needs; how many they were, and what all of it was charged.
    pub(super) fn drop_until(&mut self, now: UnixMillis) -> (u64, u64) {
        let (mut count, mut charge) = (0, 0);
        self.receipts.retain(|_, kept| {
            let stays = kept.stored.until > now;
            if !stays {
                count += 1;
                charge += kept.charge;
            }
            stays
        });
        let records = std::mem::take(&mut self.records);
        for ((room, added), kept) in records {
            if self.needs_record(room, added, kept.gone) {
                self.records.insert((room, added), kept);
            } else {
                charge += kept.record.charge;
            }
        }
        let rooms = std::mem::take(&mut self.rooms);
        self.rooms = rooms.into_iter().filter(|(room, _)| self.needs_room(*room)).collect();
        for (name, ledger) in std::mem::take(&mut self.ledgers) {
            if self.needs_ledger(name) {
                self.ledgers.insert(name, ledger);
            } else {
                charge += ledger.charge();
            }
        }
        for ((name, version), sums) in std::mem::take(&mut self.sums) {
            if self.needs_sums(name, version) {
                self.sums.insert((name, version), sums);
            } else {
                charge += sums.len() as u64;
            }
        }
        for (digest, bytes) in std::mem::take(&mut self.keys) {
            if self.needs_keys(digest) {
                self.keys.insert(digest, bytes);
            } else {
                charge += bytes.len() as u64;
            }
        }
        (count, charge)
    }
}
