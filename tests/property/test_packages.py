"""A package's import gives what importing its files one by one gives, in the order of references."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dataport.core.paths import Home
from dataport.engine.conflicts import ConflictFilter
from dataport.engine.importing import reading
from tests.engine.importing.parcel import NAMES, Files, Parcels, parcels
from tests.property.test_source_memory import stage_here

KEYS = st.sampled_from(["1", "2", "3", ""])
"""Few, so that references meet, miss and repeat; empty keys are rejected."""

TEXTS = st.sampled_from(["", "x", "y"])

ROWS = {
    "users": st.tuples(st.sampled_from(["1", "2", "3", "too-long-an-address"]), TEXTS),
    "tickets": st.tuples(KEYS, KEYS, KEYS, TEXTS),
    "notes": st.tuples(KEYS, KEYS, KEYS, TEXTS),
}
HEADS = {
    "users": "email,name",
    "tickets": "id,owner,part_of,text",
    "notes": "id,ticket,author,text",
}


@st.composite
def _files(draw: st.DrawFn) -> Files:
    """Files for some datasets, in any order, of a few rows each."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, unique=True))
    rows = {name: draw(st.lists(ROWS[name], min_size=1, max_size=4)) for name in names}
    return {
        name: "\n".join([HEADS[name], *map(",".join, lines), ""]) for name, lines in rows.items()
    }


STEPS = st.lists(
    st.tuples(_files(), st.sampled_from(["crm", "web"]), st.sampled_from(["merge", "mirror"])),
    min_size=1,
    max_size=4,
)


WAYS = ("keep", "null", "reject", "stub")


@pytest.mark.timeout(600)
@pytest.mark.parametrize("way", WAYS)
def test_together_is_one_by_one(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For every `onMissing`, over several files of two sources: rows, counts, rejects, conflicts."""
    _try(way, 4, monkeypatch)


@pytest.mark.soak
@pytest.mark.parametrize("way", WAYS)
def test_together_is_one_by_one_in_many_histories(
    way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _try(way, 20, monkeypatch)


def _try(way: str, examples: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "stage_file", stage_here)

    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def check(steps: list[tuple[Files, str, str]]) -> None:
        with tempfile.TemporaryDirectory() as directory:
            root = Path(directory)
            first, second = Home.at(root / "a" / "home"), Home.at(root / "b" / "home")
            with parcels(first, way) as together, parcels(second, way) as apart:
                for files, source, mode in steps:
                    _compare(together, apart, files, source, mode)

    check()


def _compare(together: Parcels, apart: Parcels, files: Files, source: str, mode: str) -> None:
    job = together.send(files, source, mode=mode)
    jobs = apart.send_each(files, source, mode=mode)
    assert together.store() == apart.store()
    assert [part.dataset for part in job.parts] == [each.dataset for each in jobs]
    for part, each in zip(job.parts, jobs, strict=True):
        assert (part.rows, part.changes) == (each.rows, each.changes)
        assert (part.commit is None) == (each.commit is None)
    rejects = [item for each in jobs for item in _rejects(apart, each.job)]
    assert _rejects(together, job.job) == rejects
    assert _conflicts(together) == _conflicts(apart)
    if job.commit is not None:
        before = together.store()
        together.undo(together.undo(job.commit)["commit"])
        assert together.store() == before


def _rejects(desk: Parcels, job: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.engine.rejects(job, 100, 0)["items"]
    return found


def _conflicts(desk: Parcels) -> list[tuple[Any, ...]]:
    items = desk.engine.decisions.list(ConflictFilter())["items"]
    names = ("dataset", "key", "field", "kind", "base", "ours", "theirs", "status")
    return sorted(tuple(str(item[name]) for name in names) for item in items)
