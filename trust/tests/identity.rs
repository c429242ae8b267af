//! Key files and the folder of an identity: permissions, damage, crashes between two steps, rotation.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "test code: a panic is a failed test")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use blindrelay_trust::{HistoryError, Identity, IdentityError, KeyFileError, KeyId, ReceiptError, SigningKey};
use support::*;

fn key_path(folder: &Path, key: KeyId) -> PathBuf {
    folder.join(format!("signing-key-{key}.key"))
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// An identity in a new folder, made at 10 ms.
fn fresh() -> (tempfile::TempDir, PathBuf, Identity) {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("service/identity");
    let identity = Identity::open_or_create(&folder, at(10)).unwrap();
    (parent, folder, identity)
}

/// Signs and checks a receipt against the identity's own history.
fn works(identity: &Identity, time: u64) {
    let signed = identity.sign(&receipt(identity.public().id(), at(time))).unwrap();
    signed.verify(identity.history()).unwrap();
}

#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777
}

#[test]
fn keys_come_back_from_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let first = SigningKey::generate(at(10)).unwrap();
    let second = first.successor(at(20)).unwrap();
    for (key, name) in [(&first, "first"), (&second, "second")] {
        let path = folder.path().join(name);
        key.write_new(&path).unwrap();
        let read = SigningKey::read(&path).unwrap();
        assert_eq!((read.identity(), read.former()), (key.identity(), key.former()));
        assert_eq!(fs::metadata(&path).unwrap().len(), 112);
        let signed = read.sign(&receipt(key.identity().id(), at(20))).unwrap();
        assert!(signed.signature() != key.sign(signed.receipt()).unwrap().signature(), "signatures are hedged");
    }
    assert_eq!(names(folder.path()), ["first", "second"]);
    assert_eq!(second.former(), Some(first.identity().id()));
}

#[test]
fn key_files_are_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let first = SigningKey::generate(at(10)).unwrap();
    first.write_new(&path).unwrap();
    let other = SigningKey::generate(at(10)).unwrap().write_new(&path).unwrap_err();
    assert!(matches!(other, KeyFileError::Exists { .. }), "{other}");
    assert_eq!(SigningKey::read(&path).unwrap().identity(), first.identity());
    assert_eq!(names(folder.path()), ["key"]);
    let nowhere = first.write_new(&folder.path().join("none/key")).unwrap_err();
    assert!(matches!(nowhere, KeyFileError::Io { .. }), "{nowhere}");
}

#[test]
fn damaged_key_files_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    SigningKey::generate(at(10)).unwrap().write_new(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    let read = |bytes: &[u8]| {
        fs::write(&path, bytes).unwrap();
        SigningKey::read(&path).err().unwrap()
    };
    for position in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[position] ^= 1;
        match (position, read(&changed)) {
            (0..7, KeyFileError::Format { .. })
            | (7, KeyFileError::Version { found: 0, .. })
            | (8.., KeyFileError::Checksum { .. }) => {}
            (_, other) => panic!("byte {position}: {other}"),
        }
        assert!(matches!(read(&bytes[..position]), KeyFileError::Format { found, .. } if found == position as u64));
    }
    assert!(matches!(read(&[bytes.as_slice(), &[0]].concat()), KeyFileError::Format { found: 113, .. }));
}

#[cfg(unix)]
#[test]
fn key_files_are_for_their_owner_only() {
    let (_parent, folder, identity) = fresh();
    let path = key_path(&folder, identity.public().id());
    assert_eq!((mode(&path), mode(&folder)), (0o600, 0o700));
    for readable in [0o640, 0o604, 0o620] {
        fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(readable)).unwrap();
        let Err(IdentityError::KeyFile(KeyFileError::Mode { mode, .. })) = Identity::open(&folder) else {
            panic!("{readable:o}")
        };
        assert_eq!(mode, readable);
    }
}

#[test]
fn an_identity_is_made_once() {
    let (_parent, folder, identity) = fresh();
    works(&identity, 10);
    let key = identity.public();
    assert_eq!(names(&folder), ["history.json", "identity.lock", &format!("signing-key-{}.key", key.id())]);
    for again in [Identity::open_or_create(&folder, at(99)).unwrap(), Identity::open(&folder).unwrap()] {
        assert_eq!((again.public(), again.history()), (key, identity.history()));
        assert!(again.leftovers().is_empty());
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(matches!(Identity::open(empty.path()), Err(IdentityError::HistoryMissing { .. })));
    assert!(matches!(Identity::open(&empty.path().join("none")), Err(IdentityError::Io { .. })));
}

#[test]
fn rotation_continues_the_history_and_removes_the_former_key() {
    let (_parent, folder, first) = fresh();
    let kept = first.history().clone();
    let refused = Identity::rotate(&folder, at(10)).err().unwrap();
    assert!(matches!(refused, IdentityError::Clock { now, valid_from } if (now, valid_from) == (at(10), at(10))));
    let second = Identity::rotate(&folder, at(20)).unwrap();
    works(&second, 20);
    second.history().extends(&kept).unwrap();
    let newest = second.history().verify_chain(&first.public().id()).unwrap();
    assert_eq!((newest.id(), newest.valid_from()), (second.public().id(), at(20)));
    assert!(!key_path(&folder, first.public().id()).exists() && second.leftovers().is_empty());
    // Receipts from before stay valid, and a process that did not open the folder anew signs nothing that is believed.
    let before = first.sign(&receipt(first.public().id(), at(19))).unwrap();
    before.verify(second.history()).unwrap();
    let after = first.sign(&receipt(first.public().id(), at(20))).unwrap();
    assert!(matches!(after.verify(second.history()), Err(ReceiptError::Retired { .. })));
    assert_eq!(Identity::open(&folder).unwrap().public(), second.public());
}

#[test]
fn a_former_key_is_revoked_and_the_newest_is_not() {
    let (_parent, folder, first) = fresh();
    let first = first.public().id();
    let newest = Identity::revoke(&folder, &first, at(20), "lost").err().unwrap();
    assert!(matches!(newest, IdentityError::History { source: HistoryError::Revocation { .. }, .. }), "{newest}");
    Identity::rotate(&folder, at(20)).unwrap();
    let identity = Identity::revoke(&folder, &first, at(30), "lost").unwrap();
    works(&identity, 30);
    let opened = Identity::open(&folder).unwrap();
    let revocation = opened.history().get(&first).unwrap().revocation().unwrap();
    assert_eq!((revocation.revoked_at(), revocation.reason(), revocation.by()), (at(30), "lost", opened.public().id()));
}

#[test]
fn a_creation_that_was_cut_off_before_the_history_goes_on() {
    let (_parent, folder, identity) = fresh();
    fs::remove_file(folder.join("history.json")).unwrap();
    let again = Identity::open_or_create(&folder, at(99)).unwrap();
    assert_eq!(again.public(), identity.public());
    again.history().extends(identity.history()).unwrap();
    works(&again, 10);
}

#[test]
fn a_rotation_that_was_cut_off_before_the_history_leaves_the_former_identity() {
    let (_parent, folder, identity) = fresh();
    let history = fs::read(folder.join("history.json")).unwrap();
    let former = fs::read(key_path(&folder, identity.public().id())).unwrap();
    let lost = Identity::rotate(&folder, at(20)).unwrap();
    // As the folder was between the two writes: both keys, the former history.
    fs::write(folder.join("history.json"), history).unwrap();
    write_secret(&key_path(&folder, identity.public().id()), &former);
    let orphan = key_path(&folder, lost.public().id());
    let opened = Identity::open_or_create(&folder, at(30)).unwrap();
    assert_eq!((opened.public(), opened.leftovers()), (identity.public(), [orphan.clone()].as_slice()));
    works(&opened, 30);
    let rotated = Identity::rotate(&folder, at(40)).unwrap();
    works(&rotated, 40);
    rotated.history().extends(identity.history()).unwrap();
    assert_eq!(rotated.leftovers(), [orphan]);
}

#[test]
fn a_rotation_that_was_cut_off_before_the_removal_is_whole() {
    let (_parent, folder, first) = fresh();
    let path = key_path(&folder, first.public().id());
    let former = fs::read(&path).unwrap();
    let second = Identity::rotate(&folder, at(20)).unwrap();
    write_secret(&path, &former);
    let opened = Identity::open(&folder).unwrap();
    assert_eq!((opened.public(), opened.leftovers()), (second.public(), [path.clone()].as_slice()));
    assert!(Identity::rotate(&folder, at(30)).unwrap().leftovers().is_empty() && !path.exists());
}

#[test]
fn files_that_were_being_written_are_removed() {
    let (_parent, folder, identity) = fresh();
    let before = names(&folder);
    let key = format!("signing-key-{}.key.0123456789abcdef.temporary", identity.public().id());
    for name in [key.as_str(), "history.json.0123456789abcdef.temporary"] {
        write_secret(&folder.join(name), b"half a f");
    }
    write_secret(&folder.join("notes.temporary"), b"of somebody else");
    assert_eq!(Identity::open(&folder).unwrap().public(), identity.public());
    let mut after = names(&folder);
    after.retain(|name| name != "notes.temporary");
    assert_eq!((after, folder.join("notes.temporary").exists()), (before, true));
}

#[test]
fn a_service_does_not_begin_anew_where_it_had_a_history() {
    let (_parent, folder, first) = fresh();
    let old = fs::read(folder.join("history.json")).unwrap();
    Identity::rotate(&folder, at(20)).unwrap();
    fs::remove_file(folder.join("history.json")).unwrap();
    for refused in
        [Identity::open_or_create(&folder, at(30)), Identity::open(&folder), Identity::rotate(&folder, at(30))]
    {
        assert!(matches!(refused, Err(IdentityError::HistoryMissing { .. })));
    }
    // An old history from a backup: its key is gone, so nothing forks.
    fs::write(folder.join("history.json"), old).unwrap();
    let Err(IdentityError::KeyFile(KeyFileError::Io { path, .. })) = Identity::open_or_create(&folder, at(30)) else {
        panic!("an old history was taken")
    };
    assert_eq!(path, key_path(&folder, first.public().id()));
}

#[test]
fn damage_in_the_folder_is_refused_by_name() {
    let (_parent, folder, identity) = fresh();
    let history = folder.join("history.json");
    let text = fs::read_to_string(&history).unwrap();
    fs::write(&history, &text[..text.len() / 2]).unwrap();
    let refused = Identity::open_or_create(&folder, at(20)).err().unwrap();
    assert!(matches!(refused, IdentityError::History { source: HistoryError::Format { .. }, .. }), "{refused}");
    fs::write(&history, &text).unwrap();
    // Another key under the name of this one.
    let path = key_path(&folder, identity.public().id());
    fs::remove_file(&path).unwrap();
    let stranger = SigningKey::generate(at(10)).unwrap();
    stranger.write_new(&path).unwrap();
    let refused = Identity::open(&folder).err().unwrap();
    assert!(matches!(refused, IdentityError::OtherKey { found, .. } if found == stranger.identity().id()));
}

#[test]
fn two_creations_at_once_make_one_identity() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("identity");
    let made: Vec<KeyId> = std::thread::scope(|scope| {
        let threads: Vec<_> =
            (0..4).map(|_| scope.spawn(|| Identity::open_or_create(&folder, at(10)).unwrap().public().id())).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert!(made.iter().all(|key| *key == made[0]));
    assert_eq!(names(&folder).len(), 3);
}

fn write_secret(path: &Path, content: &[u8]) {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    std::io::Write::write_all(&mut options.open(path).unwrap(), content).unwrap();
}
