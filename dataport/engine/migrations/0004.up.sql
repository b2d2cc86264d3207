-- Rows that a commit added to one dataset because another's rows refer to them, and the file that
-- does: one commit may have several.
CREATE TABLE store.stubs ("commit" BIGINT, dataset VARCHAR, key VARCHAR, file VARCHAR);
