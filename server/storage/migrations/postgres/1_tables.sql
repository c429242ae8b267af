-- Form 1. Ids and digests are bytea, names sort by bytes, moments are milliseconds since 1970, lengths and charges are bytes.

-- What a tenant keeps. Every change of rooms, ledgers and key sets begins here, so that those of one tenant happen one after the other.
CREATE TABLE holdings (
    tenant   TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    bytes    BIGINT NOT NULL,
    rooms    BIGINT NOT NULL,
    ledgers  BIGINT NOT NULL,
    key_sets BIGINT NOT NULL
);

CREATE TABLE tenants (
    tenant    TEXT COLLATE "C"    NOT NULL PRIMARY KEY,
    created   BIGINT NOT NULL,
    suspended BIGINT,
    limits    TEXT    NOT NULL
);

CREATE TABLE api_keys (
    id      BYTEA    NOT NULL PRIMARY KEY,
    digest  BYTEA    NOT NULL UNIQUE,
    tenant  TEXT COLLATE "C"    REFERENCES tenants (tenant),
    role    TEXT    NOT NULL,
    label   TEXT    NOT NULL,
    created BIGINT NOT NULL,
    expires BIGINT,
    revoked BIGINT
);
CREATE INDEX api_keys_of_tenant ON api_keys (tenant, id);

CREATE TABLE key_sets (
    tenant          TEXT COLLATE "C"    NOT NULL,
    digest          BYTEA    NOT NULL,
    blob            TEXT    NOT NULL,
    length          BIGINT NOT NULL,
    parameters      TEXT    NOT NULL,
    relinearization BIGINT NOT NULL,
    galois_elements BYTEA    NOT NULL,
    epoch           BIGINT NOT NULL,
    expires         BIGINT,
    revoked         BIGINT,
    PRIMARY KEY (tenant, digest)
);

CREATE TABLE rooms (
    tenant          TEXT COLLATE "C"    NOT NULL,
    room            BYTEA    NOT NULL,
    operator        TEXT    NOT NULL,
    evaluation_keys BYTEA,
    version         BIGINT NOT NULL,
    handles         BIGINT NOT NULL,
    bytes           BIGINT NOT NULL,
    charge          BIGINT NOT NULL,
    PRIMARY KEY (tenant, room),
    FOREIGN KEY (tenant, evaluation_keys) REFERENCES key_sets (tenant, digest)
);
CREATE INDEX rooms_of_keys ON rooms (tenant, evaluation_keys);

-- `handles` are all handles of a record in the order of its values; `present` of them have not been removed.
CREATE TABLE records (
    tenant       TEXT COLLATE "C"    NOT NULL,
    room         BYTEA    NOT NULL,
    version      BIGINT NOT NULL,
    blob         TEXT    NOT NULL,
    length       BIGINT NOT NULL,
    handles      BYTEA    NOT NULL,
    present      BIGINT NOT NULL,
    placed_group BIGINT NOT NULL,
    placed_at    BIGINT NOT NULL,
    charge       BIGINT NOT NULL,
    PRIMARY KEY (tenant, room, version),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
);

-- Handles that have not been removed, with the version of their record.
CREATE TABLE handles (
    tenant TEXT COLLATE "C"    NOT NULL,
    room   BYTEA    NOT NULL,
    handle BYTEA    NOT NULL,
    record BIGINT NOT NULL,
    PRIMARY KEY (tenant, room, handle),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
);

-- Handles that have been removed, with the version that this made and that of their record.
CREATE TABLE removals (
    tenant  TEXT COLLATE "C"    NOT NULL,
    room    BYTEA    NOT NULL,
    version BIGINT NOT NULL,
    handle  BYTEA    NOT NULL,
    record  BIGINT NOT NULL,
    PRIMARY KEY (tenant, room, version),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
);

CREATE TABLE room_requests (
    tenant  TEXT COLLATE "C" NOT NULL,
    room    BYTEA NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    body    BYTEA NOT NULL,
    handles BYTEA NOT NULL,
    PRIMARY KEY (tenant, room, name),
    FOREIGN KEY (tenant, room) REFERENCES rooms (tenant, room) ON DELETE CASCADE
);

CREATE TABLE ledgers (
    tenant          TEXT COLLATE "C"    NOT NULL,
    ledger          BYTEA    NOT NULL,
    family          TEXT    NOT NULL,
    operator        TEXT    NOT NULL,
    settings        TEXT    NOT NULL,
    evaluation_keys BYTEA,
    version         BIGINT NOT NULL,
    blob            TEXT    NOT NULL,
    length          BIGINT NOT NULL,
    batches         BIGINT NOT NULL,
    changes         BIGINT NOT NULL,
    charge          BIGINT NOT NULL,
    PRIMARY KEY (tenant, ledger),
    FOREIGN KEY (tenant, evaluation_keys) REFERENCES key_sets (tenant, digest)
);
CREATE INDEX ledgers_of_family ON ledgers (tenant, family, ledger);
CREATE INDEX ledgers_of_keys ON ledgers (tenant, evaluation_keys);

CREATE TABLE ledger_requests (
    tenant  TEXT COLLATE "C"    NOT NULL,
    ledger  BYTEA    NOT NULL,
    name    TEXT COLLATE "C"    NOT NULL,
    body    BYTEA    NOT NULL,
    batches BIGINT NOT NULL,
    PRIMARY KEY (tenant, ledger, name),
    FOREIGN KEY (tenant, ledger) REFERENCES ledgers (tenant, ledger) ON DELETE CASCADE
);
