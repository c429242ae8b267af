-- Form 2. Receipts, and what they were computed from that is not in its own table any more. A blob has one row, whatever table it is in.

-- `day` is that of the receipt's time, in days since 1970. `kind` is that of the collection.
CREATE TABLE receipts (
    tenant          TEXT COLLATE "C"    NOT NULL,
    receipt         BYTEA    NOT NULL,
    day             BIGINT NOT NULL,
    until           BIGINT NOT NULL,
    kind            TEXT    NOT NULL,
    collection      BYTEA    NOT NULL,
    version         BIGINT NOT NULL,
    evaluation_keys BYTEA,
    signed          BYTEA    NOT NULL,
    blob            TEXT    NOT NULL,
    length          BIGINT NOT NULL,
    charge          BIGINT NOT NULL,
    PRIMARY KEY (tenant, receipt)
);
CREATE INDEX receipts_of_day ON receipts (tenant, day, receipt);
CREATE INDEX receipts_of_collection ON receipts (tenant, kind, collection, version);
CREATE INDEX receipts_of_keys ON receipts (tenant, evaluation_keys);
CREATE INDEX receipts_until ON receipts (until);

CREATE TABLE kept_rooms (
    tenant          TEXT COLLATE "C"    NOT NULL,
    room            BYTEA    NOT NULL,
    operator        TEXT    NOT NULL,
    evaluation_keys BYTEA,
    PRIMARY KEY (tenant, room)
);

-- `gone` is the version of the room that did not have the record any more.
CREATE TABLE kept_records (
    tenant       TEXT COLLATE "C"    NOT NULL,
    room         BYTEA    NOT NULL,
    version      BIGINT NOT NULL,
    gone         BIGINT NOT NULL,
    blob         TEXT    NOT NULL,
    length       BIGINT NOT NULL,
    handles      BYTEA    NOT NULL,
    placed_group BIGINT NOT NULL,
    placed_at    BIGINT NOT NULL,
    charge       BIGINT NOT NULL,
    PRIMARY KEY (tenant, room, version)
);

-- Of rooms that were removed.
CREATE TABLE kept_removals (
    tenant  TEXT COLLATE "C"    NOT NULL,
    room    BYTEA    NOT NULL,
    version BIGINT NOT NULL,
    handle  BYTEA    NOT NULL,
    record  BIGINT NOT NULL,
    PRIMARY KEY (tenant, room, version)
);

CREATE TABLE kept_ledgers (
    tenant          TEXT COLLATE "C"    NOT NULL,
    ledger          BYTEA    NOT NULL,
    family          TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    settings        TEXT    NOT NULL,
    evaluation_keys BYTEA,
    charge          BIGINT NOT NULL,
    PRIMARY KEY (tenant, ledger)
);

CREATE TABLE kept_sums (
    tenant  TEXT COLLATE "C"    NOT NULL,
    ledger  BYTEA    NOT NULL,
    version BIGINT NOT NULL,
    blob    TEXT    NOT NULL,
    charge  BIGINT NOT NULL,
    PRIMARY KEY (tenant, ledger, version)
);

CREATE TABLE kept_keys (
    tenant TEXT COLLATE "C"    NOT NULL,
    digest BYTEA    NOT NULL,
    blob   TEXT    NOT NULL,
    charge BIGINT NOT NULL,
    PRIMARY KEY (tenant, digest)
);

-- What all services on this store share: 32 random bytes each.
CREATE TABLE secrets (
    name   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    secret BYTEA NOT NULL
);
