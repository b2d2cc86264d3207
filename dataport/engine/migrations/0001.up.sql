CREATE TABLE store.meta (name VARCHAR, value VARCHAR);

CREATE SCHEMA store.rows;
CREATE SCHEMA store.versions;
CREATE SCHEMA store.bases;
CREATE SCHEMA store.base_versions;

-- The definition that each dataset's tables were made for.
CREATE TABLE store.datasets (name VARCHAR, definition VARCHAR, since TIMESTAMP);

-- One row per atomic change; uid, hlc, device and parents make commits exchangeable.
CREATE TABLE store.commits (
    "commit" BIGINT, uid VARCHAR, time TIMESTAMP, hlc VARCHAR, device VARCHAR, parents VARCHAR[],
    kind VARCHAR, actor VARCHAR, origin VARCHAR, source VARCHAR, job BIGINT, message VARCHAR,
    undoes BIGINT
);

-- What a commit did to each dataset it touched, and from which file.
CREATE TABLE store.commit_parts (
    "commit" BIGINT, dataset VARCHAR, source VARCHAR, file VARCHAR, sha256 VARCHAR, mode VARCHAR,
    inserted BIGINT, updated BIGINT, deleted BIGINT, unchanged BIGINT, skipped BIGINT,
    conflicts BIGINT
);

CREATE TABLE store.jobs (
    job BIGINT, kind VARCHAR, status VARCHAR, dataset VARCHAR, source VARCHAR, file VARCHAR,
    inbox VARCHAR, origin VARCHAR, request VARCHAR, state VARCHAR, error VARCHAR,
    created TIMESTAMP, started TIMESTAMP, finished TIMESTAMP, "commit" BIGINT,
    disposal VARCHAR
);

-- Queued values and rows. Every change of state is written by a commit and kept in
-- conflict_versions until that commit, so that undoing a commit restores the queue.
CREATE TABLE store.conflicts (
    conflict BIGINT, _commit BIGINT, dataset VARCHAR, key VARCHAR, field VARCHAR, kind VARCHAR,
    base VARCHAR, ours VARCHAR, theirs VARCHAR, source VARCHAR, job BIGINT, file VARCHAR,
    line BIGINT, status VARCHAR, superseded BIGINT, resolution VARCHAR, opened TIMESTAMP,
    closed TIMESTAMP
);
CREATE TABLE store.conflict_versions (
    conflict BIGINT, _commit BIGINT, dataset VARCHAR, key VARCHAR, field VARCHAR, kind VARCHAR,
    base VARCHAR, ours VARCHAR, theirs VARCHAR, source VARCHAR, job BIGINT, file VARCHAR,
    line BIGINT, status VARCHAR, superseded BIGINT, resolution VARCHAR, opened TIMESTAMP,
    closed TIMESTAMP, _until BIGINT
);

-- Files whose effects are committed; `undone_by` while that commit stands undone.
CREATE TABLE store.files (
    sha256 VARCHAR, bytes BIGINT, dataset VARCHAR, source VARCHAR, signature VARCHAR, job BIGINT,
    "commit" BIGINT, file VARCHAR, time TIMESTAMP, undone_by BIGINT
);

-- Commits whose inserted rows are their source's bases as well, until undone.
CREATE TABLE store.insertions (dataset VARCHAR, source VARCHAR, "commit" BIGINT, until BIGINT);

-- Fields that a source has ever stated, per dataset.
CREATE TABLE store.stated (dataset VARCHAR, source VARCHAR, field VARCHAR, "commit" BIGINT);

CREATE TABLE store.audit (
    time TIMESTAMP, actor VARCHAR, origin VARCHAR, operation VARCHAR, operation_type VARCHAR,
    record_count BIGINT, datasets VARCHAR[], job BIGINT, "commit" BIGINT, metadata VARCHAR
);
