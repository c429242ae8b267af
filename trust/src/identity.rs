//! The identity of a service: its newest signing key, and the history that leads to it.
//!
//! In a folder lie `signing-key-<id>.key` of the newest key, `history.json`, and `identity.lock`, which processes hold while they read or change the folder. A change
//! is done once the history that names it is on disk: the key file comes before it, the removal of the former key's file after it. A crash in between
//! leaves the former identity as it was; a key file that the history does not name signs nothing and is listed by [`Identity::leftovers`].

mod folder;

use std::path::{Path, PathBuf};

use folder::Folder;

use crate::error::{IdentityError, SignError};
use crate::history::KeyHistory;
use crate::id::KeyId;
use crate::key::{PublicIdentity, SigningKey};
use crate::receipt::{Receipt, SignedReceipt};
use crate::time::UnixMillis;

/// Signs receipts. It is shared by threads, and stays as it is when the folder changes: open it anew after a rotation.
pub struct Identity {
    key: SigningKey,
    history: KeyHistory,
    leftovers: Vec<PathBuf>,
}

impl Identity {
    /// Opens the identity in a folder, or makes one where the folder has none, and the folder too. Waits while another process changes it.
    ///
    /// Refused where key or history are damaged, where others may read the key, and where there are keys but no history: clients refuse a service that begins anew.
    pub fn open_or_create(folder: &Path, now: UnixMillis) -> Result<Self, IdentityError> {
        let folder = Folder::create(folder)?;
        match folder.history()? {
            Some(history) => Self::load(&folder, history),
            None => Self::begin(&folder, now),
        }
    }

    /// An identity that lives as long as the process: for demonstrations and tests, and for services that keep nothing. No client can follow it to another.
    pub fn of_process(now: UnixMillis) -> Result<Self, SignError> {
        let key = SigningKey::generate(now)?;
        let history = KeyHistory::begin(&key)?;
        Ok(Self { key, history, leftovers: Vec::new() })
    }

    /// Opens the identity in a folder. Refused where there is none.
    pub fn open(folder: &Path) -> Result<Self, IdentityError> {
        let folder = Folder::open(folder)?;
        let history = folder.history()?.ok_or_else(|| folder.without_history())?;
        Self::load(&folder, history)
    }

    /// A new key that follows the newest one. The former key signs nothing from `now` on, and its file is removed; its receipts stay valid.
    ///
    /// Refused where `now` is not after the time from which the newest key is valid.
    pub fn rotate(folder: &Path, now: UnixMillis) -> Result<Self, IdentityError> {
        let folder = Folder::open(folder)?;
        let history = folder.history()?.ok_or_else(|| folder.without_history())?;
        let present = Self::load(&folder, history)?;
        let valid_from = present.history.newest().valid_from();
        if now <= valid_from {
            return Err(IdentityError::Clock { now, valid_from });
        }
        let key = present.key.successor(now)?;
        let history = present.history.succeed(&present.key, &key).map_err(|source| folder.refused(source))?;
        folder.write_key(&key)?;
        folder.replace_history(&history)?;
        folder.remove_retired(&history)?;
        Self::load(&folder, history)
    }

    /// Ends the trust in a former key, for a reason that clients are told. Rotate first where it is the newest.
    pub fn revoke(folder: &Path, key: &KeyId, now: UnixMillis, reason: &str) -> Result<Self, IdentityError> {
        let folder = Folder::open(folder)?;
        let history = folder.history()?.ok_or_else(|| folder.without_history())?;
        let present = Self::load(&folder, history)?;
        let revoked = present.history.revoke(key, &present.key, now, reason);
        let history = revoked.map_err(|source| folder.refused(source))?;
        folder.replace_history(&history)?;
        Self::load(&folder, history)
    }

    /// The public side of the key that signs.
    pub const fn public(&self) -> &PublicIdentity {
        self.key.identity()
    }

    /// What clients are served.
    pub const fn history(&self) -> &KeyHistory {
        &self.history
    }

    /// Key files in the folder that sign nothing: a crash left them before the history named them, or before they were removed. They are harmless; delete them.
    pub fn leftovers(&self) -> &[PathBuf] {
        &self.leftovers
    }

    /// Signs a receipt, as [`SigningKey::sign`].
    pub fn sign(&self, receipt: &Receipt) -> Result<SignedReceipt, SignError> {
        self.key.sign(receipt)
    }

    /// Signs many receipts with one signature, as [`SigningKey::sign_batch`].
    pub fn sign_batch(&self, receipts: &[Receipt]) -> Result<Vec<SignedReceipt>, SignError> {
        self.key.sign_batch(receipts)
    }

    /// Without a history there may be the key file of a creation that was cut off. It is used, where it is a first key: nobody has seen another.
    fn begin(folder: &Folder, now: UnixMillis) -> Result<Self, IdentityError> {
        let key = match folder.keys()?.as_slice() {
            [] => {
                let key = SigningKey::generate(now)?;
                folder.write_key(&key)?;
                key
            }
            [path] => {
                let key = SigningKey::read(path)?;
                if key.former().is_some() {
                    return Err(folder.without_history());
                }
                key
            }
            _ => return Err(folder.without_history()),
        };
        let history = KeyHistory::begin(&key)?;
        folder.write_history(&history)?;
        Self::load(folder, history)
    }

    fn load(folder: &Folder, history: KeyHistory) -> Result<Self, IdentityError> {
        let path = folder.key_path(&history.newest().id());
        let key = SigningKey::read(&path)?;
        let found = key.identity();
        if found.id() != history.newest().id() || found.made_at() != history.newest().valid_from() {
            return Err(IdentityError::OtherKey { path, found: found.id() });
        }
        let leftovers = folder.keys()?.into_iter().filter(|other| *other != path).collect();
        Ok(Self { key, history, leftovers })
    }
}
