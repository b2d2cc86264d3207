-- What a conflict says beyond its values, as JSON: the rules that a merged row would break.
ALTER TABLE store.conflicts ADD COLUMN details VARCHAR;
ALTER TABLE store.conflict_versions ADD COLUMN details VARCHAR;
