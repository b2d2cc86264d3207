-- A statement that an import made goes with it when it is undone, until the undo is undone.
ALTER TABLE store.stated ADD COLUMN until BIGINT;
