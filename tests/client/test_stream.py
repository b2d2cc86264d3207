from __future__ import annotations

from dataport.client.stream import Event, decode


def test_events_are_read_line_by_line() -> None:
    """JOB-07"""
    lines = [
        b": ping\r\n",
        b"\r\n",
        b"id: 7\r\n",
        b"event: job\r\n",
        b'data: {"job":\r\n',
        b"data: 1}\r\n",
        b"\r\n",
        b"id:8\n",
        b"event:commit\n",
        b"data:{}\n",
        b"\n",
    ]
    assert list(decode(lines)) == [Event(7, "job", {"job": 1}), Event(8, "commit", {})]


def test_an_event_that_breaks_off_is_no_event() -> None:
    assert list(decode([b"id: 7\n", b"event: job\n", b"data: {}\n"])) == []
