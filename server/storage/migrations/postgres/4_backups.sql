-- Backups that are being made. Until their last moment, or until they end, nobody deletes a blob.
CREATE TABLE backups (
    backup BYTEA NOT NULL PRIMARY KEY,
    until  BIGINT NOT NULL
);
