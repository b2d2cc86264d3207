"""Makes filters that try to reach what is not theirs: grown from a grammar, then bent."""

from __future__ import annotations

import duckdb
from hypothesis import strategies as st

from dataport.engine.expressions.grammar import CLOCK

TABLES = (
    "rows",
    "leads",
    "secret",
    "main.secret",
    "memory.main.secret",
    "store.rows.secret",
    '"store"."rows"."secret"',
    "store.bases.leads",
    "information_schema.tables",
    "sqlite_master",
    "'canary.csv'",
    "read_csv('canary.csv')",
    "read_text('canary.txt')",
    "read_blob('*')",
    "read_json_auto('canary.json')",
    "glob('*')",
    "sniff_csv('canary.csv')",
    "duckdb_settings()",
    "duckdb_variables()",
    "duckdb_secrets()",
    "pragma_database_list()",
    "pragma_version()",
    "leak_table()",
    "query('SELECT * FROM secret')",
    "query_table('secret')",
    "range(3)",
)

CORPUS = (
    *(f"(SELECT count(*) FROM {table}) > 0" for table in TABLES),
    *(f"EXISTS (FROM {table})" for table in TABLES),
    *(f"name IN (SELECT name FROM {table})" for table in TABLES),
    *(f"name IN {table}" for table in TABLES if "(" not in table),
    *(f"true) UNION SELECT name FROM {table} WHERE (true" for table in TABLES),
    *(f"(TABLE {table}) = 'x'" for table in TABLES if "(" not in table),
    "name > ANY (SELECT name FROM secret)",
    "name = ALL (FROM secret)",
    "getenv('SECRET') = '7301'",
    "current_setting('home_directory') = '/7301'",
    "getvariable('secret') = '7301'",
    "nextval('counter') > 0",
    "currval('counter') > 0",
    "leak() = '7301'",
    "main.leak() = '7301'",
    "'leak'() = '7301'",
    "\"leak\"() = '7301'",
    "read_text('canary.txt') = 'x'",
    "current_user = 'duckdb'",
    "current_database() = 'memory'",
    "current_schemas(true) = ['x']",
    "current_query() LIKE '%7301%'",
    "in_search_path('store', 'rows')",
    "pg_catalog.current_setting('home_directory') = '/7301'",
    "has_table_privilege('secret', 'select')",
    "txid_current() > 0",
    "version() = 'x'",
    "random() < 0.5",
    "error(name)",
    "CAST(error(leak()) AS BOOLEAN)",
    "write_log('x') IS NULL",
    "secret.name = '7301'",
    "store.rows.secret.name = '7301'",
    "rows.name = 'x'",
    "secret IS NOT NULL",
    "rowid = 0",
    "_key = 'k1'",
    "COLUMNS(*) IS NOT NULL",
    "COLUMNS('.*') = '7301'",
    "COLUMNS(c -> c LIKE 'n%') = '7301'",
    "* = 1",
    "rows.* = 1",
    "struct_pack(a := leak()).a = '7301'",
    "{'a': leak()}.a = '7301'",
    "{'a': 1}['a'] = 1",
    "list_transform(tags, t -> leak()) = ['7301']",
    "list_transform(tags, lambda t: getenv('SECRET')) = ['7301']",
    "[getenv(t) for t in tags] = ['7301']",
    "list_filter(tags, t -> t = leak()) = []",
    "list_aggregate(tags, 'max') = 'vip'",
    "list_reduce(tags, (a, b) -> a) = 'x'",
    "apply(tags, t -> t) = tags",
    "count(*) > 0",
    "sum(score) > 0",
    "row_number() OVER () = 1",
    "lag(name) OVER (ORDER BY id) = 'x'",
    "lower(name) FILTER (leak() = '7301') = 'x'",
    "lower(DISTINCT name) = 'x'",
    "lower(name ORDER BY leak()) = 'x'",
    "unnest(tags) = 'vip'",
    "generate_series(1, 10) = [1]",
    "name::secret = 'x'",
    "name::store.rows.secret = 'x'",
    "name::ENUM('a', 'b') = 'a'",
    "name::STRUCT(a INT) IS NULL",
    "name::MAP(INT, INT) IS NULL",
    "name::UNION(a INT) IS NULL",
    "name::JSON IS NULL",
    "name::BLOB IS NULL",
    "name::INTEGER[] IS NULL",
    "'secret'::regclass IS NULL",
    "name COLLATE NOCASE = 'x'",
    "score AT TIME ZONE 'x' = 1",
    "TRY(leak()) = '7301'",
    "score > $1",
    "score > ?",
    "score > $secret",
    "#1 = 'x'",
    "name = DEFAULT",
    "GROUPING(name) = 1",
    "true ORDER BY leak()",
    "true LIMIT 1",
    "true GROUP BY name HAVING leak() = '7301'",
    "true QUALIFY true",
    "true USING SAMPLE 1",
    "true WINDOW w AS ()",
    "true) FROM secret WHERE (true",
    "true); ATTACH 'made.db'; --",
    "true; COPY secret TO 'made.csv'",
    "true; PRAGMA database_list",
    "true; SET VARIABLE secret = 'x'",
    "true; CREATE TABLE made (x INT)",
    "true; INSTALL httpfs; LOAD httpfs",
    "true\n); EXPORT DATABASE 'made' --",
    "PRAGMA database_list",
    "ATTACH 'made.db'",
    "COPY secret TO 'made.csv'",
    "FROM secret",
    "VALUES (1)",
    "SUMMARIZE secret",
    "DESCRIBE secret",
    "WITH s AS (FROM secret) SELECT true",
    "(WITH s AS (FROM secret) SELECT true FROM s)",
    "(VALUES (true))",
    "(PIVOT secret ON name)",
    "ＧＥＴＥＮＶ('SECRET') = '7301'",
    "getenѵ('SECRET') = '7301'",
    "read＿text('canary.txt') = 'x'",
    "nаme = 'x'",
    "name\u00a0= 'x' OR leak\u200b() = 'x'",
    "name = 'x''' OR leak() = '7301'",
    "name = $$x$$ OR leak() = $$7301$$",
    "name = E'x\\\\' OR leak() = '7301'",
    "/* */ leak() -- \n = '7301'",
    "name = '\ud800'",
    "name = 'a\x00' OR leak() = '7301'",
)
"""Each must be refused."""

_FIELDS = ("id", "name", "score", "seen", "tags", '"name"', "NAME")
_VALUES = (
    *("1", "0", "-1", "1.5", "1e300", "7301", "9946", "2147483648", "NULL", "true", "[]"),
    *("''", "'x'", "'7301'", "'9946'", "'canary.txt'", "'*'", "'SECRET'", "'secret'", "'%_%'"),
    *("'2026-01-01'", "'vip'", "['vip']", "{'a': 1}", "INTERVAL 1 DAY", "DATE '2026-01-01'"),
)
_NAMES = (*_FIELDS, *TABLES, "secret.name", "store.rows.secret.score", "leak()", "*", "COLUMNS(*)")
_OPERATORS = (
    *("=", "<>", "<", ">=", "AND", "OR", "+", "-", "*", "/", "//", "%", "||", "LIKE", "ILIKE"),
    *(
        "NOT LIKE",
        "SIMILAR TO",
        "GLOB",
        "~",
        "!~",
        "IS DISTINCT FROM",
        "IN",
        "->",
        "->>",
        "^",
        "**",
    ),
    *("&&", "@>", "<<", "|", "&", "COLLATE", ".", ",", ":=", "AS"),
)
_TYPES = (
    *("INTEGER", "VARCHAR", "DATE", "TIMESTAMP", "DOUBLE", "DECIMAL(4, 2)", "BOOLEAN", "INTERVAL"),
    *("JSON", "BLOB", "UUID", "VARCHAR[]", "STRUCT(a INT)", "secret", "ENUM('a')", "VARIANT"),
)
_SCHEMAS = ("", "", "", "", "main.", "pg_catalog.", "system.main.", "store.rows.", "memory.main.")
_SOURCES = (
    *("leak()", "getenv('SECRET')", "getvariable('secret')", "current_setting('home_directory')"),
    *("read_text('canary.txt')", "secret.name", "store.rows.secret.name", "nextval('counter')"),
    *("(SELECT content FROM read_text('canary.txt'))", "(SELECT value FROM duckdb_variables())"),
)
_CONFUSABLE = str.maketrans("aeocns(')=;", "аеосｎｓ（＇）＝；")
_NOISE = (
    "(",
    ")",
    "'",
    '"',
    ";",
    "--",
    "/*",
    "*/",
    "\\",
    "\n",
    "\0",
    "$$",
    "\u202e",
    "\ufeff",
    ".",
)


def _functions() -> list[str]:
    """Every function that DuckDB has, but those that give the present moment."""
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT DISTINCT function_name FROM duckdb_functions() ORDER BY 1"
        ).fetchall()
    return [name for (name,) in rows if name not in CLOCK and str(name).isidentifier()]


def filters() -> st.SearchStrategy[str]:
    """Filters of all kinds: some fine, most hostile, many of them broken."""
    grown = st.recursive(st.sampled_from((*_FIELDS, *_VALUES, *_NAMES)), _grow, max_leaves=6)
    joined = st.tuples(_fine(), st.sampled_from(("AND", "OR")), grown).map(
        lambda parts: f"({parts[0]}) {parts[1]} ({parts[2]})"
    )
    probed = _probed(st.sampled_from(_SCHEMAS))
    whole = st.one_of(_fine(), grown, joined, probed, st.sampled_from(CORPUS))
    return st.one_of(whole, whole.flatmap(_bent))


def _probed(schemas: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A secret, if it can be had, made to show in the outcome."""
    tables = st.sampled_from([table for table in TABLES if table != "rows"])
    sources = st.one_of(
        tables.map(lambda table: f"(SELECT name FROM {table})"),
        tables.map(lambda table: f"(FROM {table})"),
        st.tuples(schemas, st.sampled_from(_SOURCES)).map("".join),
    )
    probes = st.sampled_from(
        (
            *("CAST({} AS DATE) IS NULL", "CAST({} AS INTEGER) > 8000", "{} > '8'", "{} < '8'"),
            *("contains({}, '73')", "{} LIKE '%73%'", "{} BETWEEN '7' AND '8'", "{} = '7301'"),
        )
    )
    return st.tuples(probes, sources).map(lambda p: p[0].format(p[1]))


def _fine() -> st.SearchStrategy[str]:
    """Conditions that are mostly allowed."""
    return st.sampled_from(
        (
            *("score > 5", "name = 'Zoë'", "name ILIKE '%o%'", "seen >= '2026-01-01'"),
            *("list_contains(tags, 'vip')", "score IN (5, 6)", "name IS NULL", "length(name) = 3"),
            *("CAST(score AS VARCHAR) = '5'", "coalesce(name, id) <> 'L-1'", "year(seen) = 2026"),
        )
    )


def _grow(parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(parts, parts)
    schemas, functions = st.sampled_from(_SCHEMAS), st.sampled_from(_functions())
    return st.one_of(
        st.tuples(parts, st.sampled_from(_OPERATORS), parts).map(lambda p: f"{p[0]} {p[1]} {p[2]}"),
        st.tuples(schemas, functions, st.lists(parts, max_size=3)).map(
            lambda p: f"{p[0]}{p[1]}({', '.join(p[2])})"
        ),
        st.tuples(parts, st.sampled_from(_TYPES)).map(lambda p: f"CAST({p[0]} AS {p[1]})"),
        st.tuples(parts, st.sampled_from(TABLES)).map(lambda p: f"(SELECT {p[0]} FROM {p[1]})"),
        pairs.map(lambda p: f"CASE WHEN {p[0]} THEN {p[1]} END"),
        pairs.map(lambda p: f"{p[0]} BETWEEN {p[1]} AND {p[0]}"),
        pairs.map(lambda p: f"[{p[0]} for x in {p[1]}]"),
        pairs.map(lambda p: f"list_transform({p[0]}, x -> {p[1]})"),
        pairs.map(lambda p: f"{p[0]}[{p[1]}]"),
        parts.map(lambda p: f"NOT ({p}) IS NULL"),
        parts.map(lambda p: f"max({p}) OVER ()"),
        parts.map(lambda p: f"({p})"),
    )


def _bent(text: str) -> st.SearchStrategy[str]:
    """`text` with a piece put in, taken out or written in letters that look alike."""
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    return st.one_of(
        st.tuples(places, st.sampled_from((*_NOISE, *TABLES))).map(
            lambda p: text[: p[0][0]] + p[1] + text[p[0][0] :]
        ),
        places.map(lambda p: text[: p[0]] + text[p[1] :]),
        places.map(
            lambda p: text[: p[0]] + text[p[0] : p[1]].translate(_CONFUSABLE) + text[p[1] :]
        ),
        st.just(text.upper()),
    )
