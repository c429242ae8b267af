-- `subjects` are ids of 16 bytes each; a job has as many parts.
CREATE TABLE jobs (
    tenant   TEXT    NOT NULL,
    job      BLOB    NOT NULL,
    work     TEXT    NOT NULL,
    receipts INTEGER NOT NULL,
    subjects BLOB    NOT NULL,
    blob     TEXT    NOT NULL,
    name     TEXT    NOT NULL,
    body     BLOB    NOT NULL,
    parts    INTEGER NOT NULL,
    answered INTEGER NOT NULL,
    refused  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    begun    INTEGER,
    finished INTEGER,
    charge   INTEGER NOT NULL,
    PRIMARY KEY (tenant, job),
    UNIQUE (tenant, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX unfinished_jobs ON jobs (tenant, job) WHERE finished IS NULL;
CREATE INDEX finished_jobs ON jobs (finished) WHERE finished IS NOT NULL;

-- Parts of which something has become: an answer with its blob, or a refusal.
CREATE TABLE job_parts (
    tenant  TEXT    NOT NULL,
    job     BLOB    NOT NULL,
    part    INTEGER NOT NULL,
    blob    TEXT,
    length  INTEGER NOT NULL,
    refusal TEXT,
    PRIMARY KEY (tenant, job, part),
    FOREIGN KEY (tenant, job) REFERENCES jobs (tenant, job) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
