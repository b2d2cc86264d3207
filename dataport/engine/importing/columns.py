"""Files whose columns no name tells: guessed where that is safe, else asked about (MAP-01).

What a person decides is written as a mapping of that source for files with exactly that header, so
that it is asked once. The suggestion lies in the job's staging directory until then.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit

from dataport.core.errors import InputError, StateError, UsageError
from dataport.core.files import write_whole
from dataport.core.paths import Home
from dataport.core.words import JobStatus
from dataport.engine.catalog.mappings import FieldMapping, MappingFile
from dataport.engine.catalog.model import Dataset
from dataport.engine.importing.members import Member
from dataport.engine.importing.suggestions import Suggestion
from dataport.engine.jobs import Job, part_directory
from dataport.engine.staging.detect import header_signature
from dataport.engine.staging.mapping import fold

MAPPING = "mapping"
"""What a job waits for whose columns a person has to tell."""
SUGGESTION_FILE = "suggestion.json"


class NeedsColumnsError(InputError):
    """A person has to say which column of a member's file is which field.

    To whoever can't ask, it is the error of the file: what is `missing`.
    """

    def __init__(self, missing: InputError, member: Member, suggestion: Suggestion) -> None:
        super().__init__(missing.code, missing.title, missing.detail, missing.hint)
        self.member = member
        self.suggestion = suggestion


def wait_for_columns(home: Home, job: Job, needed: NeedsColumnsError) -> None:
    """Let the job wait, and keep what is suggested."""
    part, suggestion = needed.member.part, needed.suggestion
    directory = part_directory(home, job, part)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    document = {
        "job": job.job,
        "file": part.file,
        "source": part.source,
        **suggestion.document(),
    }
    (directory / SUGGESTION_FILE).write_text(
        json.dumps(document, ensure_ascii=False), encoding="utf-8"
    )
    job.status, job.reason = JobStatus.WAITING, MAPPING
    doubtful = ", ".join(suggestion.doubtful) or "a key"
    job.message = f"{part.name}: no column is surely {doubtful}; somebody has to say which it is."


def waiting_suggestion(home: Home, job: Job) -> dict[str, Any]:
    """What is suggested for the file that a job waits with: `file`, `dataset`, `items` and more.

    Raises StateError where it does not wait for that.
    """
    if job.reason == MAPPING:
        for part in job.members:
            path = part_directory(home, job, part) / SUGGESTION_FILE
            if path.is_file():
                document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
                return document
    raise StateError(
        "not-waiting",
        f"Job {job.job} does not wait for a mapping: it is {job.status}.",
        hint="Jobs that wait: dataport jobs list --status waiting",
    )


def settle_columns(home: Home, job: Job, mapping: MappingFile) -> None:
    """Note what was decided on the part that waited for it."""
    document = waiting_suggestion(home, job)
    for part in job.members:
        if part.file == document["file"] and part.dataset == document["dataset"]:
            part.mapping = mapping.name
            (part_directory(home, job, part) / SUGGESTION_FILE).unlink(missing_ok=True)
    job.status, job.reason, job.message = JobStatus.PENDING, None, ""


def decided_mapping(
    suggested: Mapping[str, Any],
    dataset: Dataset,
    source: str,
    said: Mapping[str, str],
    name: str | None = None,
) -> MappingFile:
    """The mapping of a suggestion with what a person said otherwise: field to column, '' for none.

    Raises UsageError for a field or column that there is not, StateError where something is still
    lacking.
    """
    columns = [str(item["column"]) for item in suggested["items"]]
    fields = {
        str(item["field"]): str(item["column"]) for item in suggested["items"] if item["field"]
    }
    for field, column in said.items():
        if field not in dataset.field_names:
            known = ", ".join(dataset.field_names)
            raise UsageError(
                "unknown-field", f"{dataset.name} has no field {field!r}.", hint=f"Fields: {known}."
            )
        found = _column(column, columns) if column else None
        fields = {each: taken for each, taken in fields.items() if each != field}
        if found is not None:
            fields = {each: taken for each, taken in fields.items() if taken != found}
            fields[field] = found
    _check(columns, fields, dataset)
    signature = header_signature(columns)
    return MappingFile(
        name=name or _name(source, dataset.name, signature),
        title=f"{source}: decided for its files with {len(columns)} columns",
        dataset=dataset.name,
        source=source,
        signature=signature,
        fields=tuple(FieldMapping(field=each, column=fields[each]) for each in fields),
    )


def write_mapping(home: Home, mapping: MappingFile) -> Path:
    """Write a mapping into the home's definitions, whole or not at all; its file."""
    path = home.mappings / f"{mapping.name}.toml"
    document = tomlkit.document()
    content = mapping.model_dump(mode="json", exclude_defaults=True)
    tables = tomlkit.aot()
    for each in content.pop("fields"):
        tables.append(tomlkit.item(each))
    document.update(content)
    document["fields"] = tables
    home.mappings.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(path, tomlkit.dumps(document))
    return path


def _column(name: str, columns: list[str]) -> str:
    found = [each for each in columns if each == name]
    found = found or [each for each in columns if fold(each) == fold(name)]
    if len(found) == 1:
        return found[0]
    raise UsageError(
        "unknown-column",
        f"The file has no column {name!r}." if not found else f"Several columns are {name!r}.",
        hint=f"Columns: {', '.join(columns)}.",
    )


def _check(columns: list[str], fields: Mapping[str, str], dataset: Dataset) -> None:
    lacking = Suggestion.of(columns, fields, dataset).lacking
    if lacking is not None:
        raise StateError(
            "mapping-incomplete",
            lacking.title,
            lacking.detail,
            "Say which column it is, as in --set FIELD=COLUMN.",
        )


def _name(source: str, dataset: str, signature: str) -> str:
    word = re.sub(r"[^a-z0-9]+", "_", source.lower()).strip("_")[:24]
    word = word if word[:1].isalpha() else f"source_{word}".rstrip("_")
    return f"{word}_{dataset[:24]}_{signature[:6]}"
