"""Every law that merge.md promises is named in a test (section 6; the probes of 2.1)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parent.parent
SOURCES = {path: path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py")}


@pytest.mark.parametrize("number", range(1, 21))
def test_each_law_is_named(number: int) -> None:
    """In the docstring of a test, or where a random history tries it."""
    law = re.compile(rf'^\s*(?:"""|# )[^\n]*\bA{number}\b', re.MULTILINE)
    span = re.compile(r"A(\d+) to A(\d+)")
    others = {path: text for path, text in SOURCES.items() if path != Path(__file__)}
    assert any(law.search(span.sub("", text)) for text in others.values())


@pytest.mark.parametrize("number", [*range(1, 10), 12, 13])
def test_each_probe_is_a_test(number: int) -> None:
    """P10 and P11 are not in the page's table."""
    assert any(re.search(rf"def test_p{number}_", text) for text in SOURCES.values())
