from __future__ import annotations

from dataport.client.transport import target


def test_parameters_that_are_none_are_left_out() -> None:
    assert target("/v1/jobs", {"status": None, "limit": 5}) == "/v1/jobs?limit=5"


def test_booleans_are_written_as_json_writes_them() -> None:
    assert target("/v1/x", {"a": True, "b": False}) == "/v1/x?a=true&b=false"


def test_values_are_escaped() -> None:
    assert target("/v1/x", {"where": "name = 'Ä&B'"}) == "/v1/x?where=name+%3D+%27%C3%84%26B%27"


def test_paths_are_escaped_and_escapes_are_kept() -> None:
    assert target("/v1/records/leads/a b%2Fc?d", {}) == "/v1/records/leads/a%20b%2Fc%3Fd"
