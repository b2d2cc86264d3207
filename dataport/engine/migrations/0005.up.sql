-- Tables of one dataset that came in one file: the lines of a commit's rows run on from one table to
-- the next, and those of a table begin behind `before`.
CREATE TABLE store.commit_tables ("commit" BIGINT, dataset VARCHAR, before BIGINT, inside VARCHAR);
