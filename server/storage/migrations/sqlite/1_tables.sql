-- Form 1. Ids and digests are blobs, moments are milliseconds since 1970, lengths and charges are bytes.

-- What a tenant keeps. Every change of rooms, ledgers and key sets begins here, so that those of one tenant happen one after the other.
CREATE TABLE holdings (
    tenant   TEXT    NOT NULL PRIMARY KEY,
    bytes    INTEGER NOT NULL,
    rooms    INTEGER NOT NULL,
    ledgers  INTEGER NOT NULL,
    key_sets INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tenants (
    tenant    TEXT    NOT NULL PRIMARY KEY,
    created   INTEGER NOT NULL,
    suspended INTEGER,
    limits    TEXT    NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    id      BLOB    NOT NULL PRIMARY KEY,
    digest  BLOB    NOT NULL UNIQUE,
    tenant  TEXT    REFERENCES tenants (tenant),
    role    TEXT    NOT NULL,
    label   TEXT    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER,
    revoked INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_keys_of_tenant ON api_keys (tenant, id);

CREATE TABLE key_sets (
    tenant          TEXT    NOT NULL,
    digest          BLOB    NOT NULL,
    blob            TEXT    NOT NULL,
    length          INTEGER NOT NULL,
    parameters      TEXT    NOT NULL,
    relinearization INTEGER NOT NULL,
    galois_elements BLOB    NOT NULL,
    epoch           INTEGER NOT NULL,
    expires         INTEGER,
    revoked         INTEGER,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;

CREATE TABLE rooms (
    tenant          TEXT    NOT NULL,
    room            BLOB    NOT NULL,
    operator        TEXT    NOT NULL,
    evaluation_keys BLOB,
    version         INTEGER NOT NULL,
    handles         INTEGER NOT NULL,
    bytes           INTEGER NOT NULL,
    charge          INTEGER NOT NULL,
    PRIMARY KEY (tenant, room),
    FOREIGN KEY (tenant, evaluation_keys) REFERENCES key_sets (tenant, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX rooms_of_keys ON rooms (tenant, evaluation_keys);

-- `handles` are all handles of a record in the order of its values; `present` of them have not been removed.
CREATE TABLE records (
    tenant       TEXT    NOT NULL,
    room         BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    blob         TEXT    NOT NULL,
    length       INTEGER NOT NULL,
    handles      BLOB    NOT NULL,
    present      INTEGER NOT NULL,
    placed_group INTEGER NOT NULL,
    placed_at    INTEGER NOT NULL,
    charge       INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, version),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Handles that have not been removed, with the version of their record.
CREATE TABLE handles (
    tenant TEXT    NOT NULL,
    room   BLOB    NOT NULL,
    handle BLOB    NOT NULL,
    record INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, handle),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Handles that have been removed, with the version that this made and that of their record.
CREATE TABLE removals (
    tenant  TEXT    NOT NULL,
    room    BLOB    NOT NULL,
    version INTEGER NOT NULL,
    handle  BLOB    NOT NULL,
    record  INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, version),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE room_requests (
    tenant  TEXT NOT NULL,
    room    BLOB NOT NULL,
    name    TEXT NOT NULL,
    body    BLOB NOT NULL,
    handles BLOB NOT NULL,
    PRIMARY KEY (tenant, room, name),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE ledgers (
    tenant          TEXT    NOT NULL,
    ledger          BLOB    NOT NULL,
    family          TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    settings        TEXT    NOT NULL,
    evaluation_keys BLOB,
    version         INTEGER NOT NULL,
    blob            TEXT    NOT NULL,
    length          INTEGER NOT NULL,
    batches         INTEGER NOT NULL,
    changes         INTEGER NOT NULL,
    charge          INTEGER NOT NULL,
    PRIMARY KEY (tenant, ledger),
    FOREIGN KEY (tenant, evaluation_keys) REFERENCES key_sets (tenant, digest)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledgers_of_family ON ledgers (tenant, family, ledger);
CREATE INDEX ledgers_of_keys ON ledgers (tenant, evaluation_keys);

CREATE TABLE ledger_requests (
    tenant  TEXT    NOT NULL,
    ledger  BLOB    NOT NULL,
    name    TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    batches INTEGER NOT NULL,
    PRIMARY KEY (tenant, ledger, name),
    FOREIGN KEY (tenant, ledger) REFERENCES ledgers (tenant, ledger) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
