ALTER TABLE store.conflict_versions DROP COLUMN details;
ALTER TABLE store.conflicts DROP COLUMN details;
