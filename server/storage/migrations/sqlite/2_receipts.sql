-- Form 2. Receipts, and what they were computed from that is not in its own table any more. A blob has one row, whatever table it is in.

-- `day` is that of the receipt's time, in days since 1970. `kind` is that of the collection.
CREATE TABLE receipts (
    tenant          TEXT    NOT NULL,
    receipt         BLOB    NOT NULL,
    day             INTEGER NOT NULL,
    until           INTEGER NOT NULL,
    kind            TEXT    NOT NULL,
    collection      BLOB    NOT NULL,
    version         INTEGER NOT NULL,
    evaluation_keys BLOB,
    signed          BLOB    NOT NULL,
    blob            TEXT    NOT NULL,
    length          INTEGER NOT NULL,
    charge          INTEGER NOT NULL,
    PRIMARY KEY (tenant, receipt)
) STRICT;
CREATE INDEX receipts_of_day ON receipts (tenant, day, receipt);
CREATE INDEX receipts_of_collection ON receipts (tenant, kind, collection, version);
CREATE INDEX receipts_of_keys ON receipts (tenant, evaluation_keys);
CREATE INDEX receipts_until ON receipts (until);

CREATE TABLE kept_rooms (
    tenant          TEXT    NOT NULL,
    room            BLOB    NOT NULL,
    operator        TEXT    NOT NULL,
    evaluation_keys BLOB,
    PRIMARY KEY (tenant, room)
) STRICT, WITHOUT ROWID;

-- `gone` is the version of the room that did not have the record any more.
CREATE TABLE kept_records (
    tenant       TEXT    NOT NULL,
    room         BLOB    NOT NULL,
    version      INTEGER NOT NULL,
    gone         INTEGER NOT NULL,
    blob         TEXT    NOT NULL,
    length       INTEGER NOT NULL,
    handles      BLOB    NOT NULL,
    placed_group INTEGER NOT NULL,
    placed_at    INTEGER NOT NULL,
    charge       INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, version)
) STRICT, WITHOUT ROWID;

-- Of rooms that were removed.
CREATE TABLE kept_removals (
    tenant  TEXT    NOT NULL,
    room    BLOB    NOT NULL,
    version INTEGER NOT NULL,
    handle  BLOB    NOT NULL,
    record  INTEGER NOT NULL,
    PRIMARY KEY (tenant, room, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_ledgers (
    tenant          TEXT    NOT NULL,
    ledger          BLOB    NOT NULL,
    family          TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    settings        TEXT    NOT NULL,
    evaluation_keys BLOB,
    charge          INTEGER NOT NULL,
    PRIMARY KEY (tenant, ledger)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_sums (
    tenant  TEXT    NOT NULL,
    ledger  BLOB    NOT NULL,
    version INTEGER NOT NULL,
    blob    TEXT    NOT NULL,
    charge  INTEGER NOT NULL,
    PRIMARY KEY (tenant, ledger, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_keys (
    tenant TEXT    NOT NULL,
    digest BLOB    NOT NULL,
    blob   TEXT    NOT NULL,
    charge INTEGER NOT NULL,
    PRIMARY KEY (tenant, digest)
) STRICT, WITHOUT ROWID;

-- What all services on this store share: 32 random bytes each.
CREATE TABLE secrets (
    name   TEXT NOT NULL PRIMARY KEY,
    secret BLOB NOT NULL
) STRICT, WITHOUT ROWID;
