"""One check of a file of leads by another tool, for the environment of the peers.

`python validate_leads.py TOOL FILE` prints how many errors frictionless or pandera, on its polars
backend, finds by the checks that the shipped definition has too: required and unique key, e-mail
and phone by pattern, length, words of the status, date with time.
"""

from __future__ import annotations

import sys

EMAIL = r"^[^@\s]+@[^@\s]+\.[^@\s]+$"
PHONE = r"^\+?[0-9 ().-]{7,20}$"
STATUS = ("new", "contacted", "Qualified", "proposal", "won", "lost")
TEXTS = ("first_name", "last_name", "company", "notes")
LONGEST = 200


def frictionless(path: str) -> int:
    """Errors of a table schema."""
    from frictionless import Detector, Resource, Schema, system

    texts = [
        {"name": name, "type": "string", "constraints": {"maxLength": LONGEST}} for name in TEXTS
    ]
    fields = [
        {"name": "lead_id", "type": "string", "constraints": {"required": True, "unique": True}},
        {"name": "email", "type": "string", "constraints": {"pattern": EMAIL}},
        {"name": "phone", "type": "string", "constraints": {"pattern": PHONE}},
        {"name": "status", "type": "string", "constraints": {"enum": list(STATUS)}},
        {"name": "created_at", "type": "datetime", "format": "%Y-%m-%d %H:%M:%S"},
    ]
    schema = Schema.from_descriptor({"fields": texts + fields})
    with system.use_context(trusted=True):
        resource = Resource(path=path, schema=schema, detector=Detector(schema_sync=True))
        report = resource.validate(limit_errors=10**9)
    return int(report.stats["errors"])


def pandera(path: str) -> int:
    """Failure cases of a frame read with polars."""
    import pandera.polars as pa
    import polars as pl

    schema = pa.DataFrameSchema(
        {
            "lead_id": pa.Column(str, nullable=False, unique=True),
            "email": pa.Column(str, pa.Check.str_matches(EMAIL), nullable=True),
            "phone": pa.Column(str, pa.Check.str_matches(PHONE), nullable=True),
            "status": pa.Column(str, pa.Check.isin(STATUS), nullable=True),
            "created_at": pa.Column(pl.Datetime, nullable=True),
        }
        | {
            name: pa.Column(str, pa.Check.str_length(max_value=LONGEST), nullable=True)
            for name in TEXTS
        }
    )
    frame = pl.read_csv(path, infer_schema=False).with_columns(
        pl.col("created_at").str.to_datetime("%Y-%m-%d %H:%M:%S", strict=False)
    )
    try:
        schema.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        return int(errors.failure_cases.height)
    return 0


if __name__ == "__main__":
    print({"frictionless": frictionless, "pandera": pandera}[sys.argv[1]](sys.argv[2]))
