-- Backups that are being made. Until their last moment, or until they end, nobody deletes a blob.
CREATE TABLE backups (
    backup BLOB NOT NULL PRIMARY KEY,
    until  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
