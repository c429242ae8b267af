-- `subjects` are ids of 16 bytes each; a job has as many parts.
CREATE TABLE jobs (
    tenant   TEXT COLLATE "C"    NOT NULL,
    job      BYTEA    NOT NULL,
    work     TEXT    NOT NULL,
    receipts BIGINT NOT NULL,
    subjects BYTEA    NOT NULL,
    blob     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    body     BYTEA    NOT NULL,
    parts    BIGINT NOT NULL,
    answered BIGINT NOT NULL,
    refused  BIGINT NOT NULL,
    created  BIGINT NOT NULL,
    begun    BIGINT,
    finished BIGINT,
    charge   BIGINT NOT NULL,
    PRIMARY KEY (tenant, job),
    UNIQUE (tenant, name)
);
CREATE INDEX unfinished_jobs ON jobs (tenant, job) WHERE finished IS NULL;
CREATE INDEX finished_jobs ON jobs (finished) WHERE finished IS NOT NULL;

-- Parts of which something has become: an answer with its blob, or a refusal.
CREATE TABLE job_parts (
    tenant  TEXT COLLATE "C"    NOT NULL,
    job     BYTEA    NOT NULL,
    part    BIGINT NOT NULL,
    blob    TEXT,
    length  BIGINT NOT NULL,
    refusal TEXT,
    PRIMARY KEY (tenant, job, part),
    FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, job) ON DELETE CASCADE
);
