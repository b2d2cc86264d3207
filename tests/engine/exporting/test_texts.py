"""Exports as XML, TXT, Parquet and DOC: their form, what they can't hold, and that they come back."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from dataport.core.errors import InputError
from dataport.core.paths import Home
from dataport.engine.exporting.records import sidecar
from tests.engine.importing.shop import Shop, open_shop

LEADS = """lead_id,name,score,tags,notes
00123,Ann <& Co>,10,a;b,"two
lines | and a ""quote"" in it"
L2,Bob,,one,=1+1
"""
FIELDS = ("lead_id", "name", "score", "tags", "notes")
READ_BACK = ("csv", "json", "xlsx", "xml", "txt", "parquet")


@pytest.fixture
def shop(home: Home) -> Iterator[Shop]:
    with open_shop(home) as shop:
        shop.send(shop.write("leads.csv", LEADS), "leads")
        yield shop


def test_xml_is_an_element_a_row_and_one_a_field(shop: Shop) -> None:
    """EXF-09, X-10: lists are elements, and what has no value says so."""
    path = shop.take("leads", format="xml", fields=FIELDS)
    assert path.read_text(encoding="utf-8") == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<leads xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
        "  <row>\n"
        "    <lead_id>00123</lead_id>\n"
        "    <name>Ann &lt;&amp; Co&gt;</name>\n"
        "    <score>10</score>\n"
        "    <tags><tag>a</tag><tag>b</tag></tags>\n"
        '    <notes>two\nlines | and a "quote" in it</notes>\n'
        "  </row>\n"
        "  <row>\n"
        "    <lead_id>L2</lead_id>\n"
        "    <name>Bob</name>\n"
        '    <score xsi:nil="true"/>\n'
        "    <tags><tag>one</tag></tags>\n"
        "    <notes>=1+1</notes>\n"
        "  </row>\n"
        "</leads>\n"
    )
    assert len(ET.parse(path).findall("row")) == 2


def test_txt_has_aligned_columns_and_separators(shop: Shop) -> None:
    """EXF-03, V-15."""
    path = shop.take("leads", format="txt", fields=FIELDS)
    assert path.read_text(encoding="utf-8") == (
        ' lead_id | name       | score | tags | notes\n'
        ' 00123   | Ann <& Co> | 10    | a;b  |"two\n'
        'lines | and a ""quote"" in it"\n'
        ' L2      | Bob        |       | one  | =1+1\n'
    )  # fmt: skip


def test_a_txt_of_numbers_comes_back(shop: Shop) -> None:
    """TST-04, V-15: phone numbers, alone and with what is known of them."""
    text = "15551234567\n15559876543\n"
    shop.send(shop.write("phones.txt", text), "phone_numbers", set={"project_id": "spring"})
    before = shop.rows("phone_numbers")
    for fields in ((), ("phone_number",)):
        path = shop.take("phone_numbers", format="txt", fields=fields)
        job = shop.send(path, "phone_numbers", set={"project_id": "spring"})
        assert (job.rows or {})["valid"] == 2
        assert shop.rows("phone_numbers") == before


def test_doc_is_a_table_that_word_opens(shop: Shop) -> None:
    """EXF-01, EXF-05; it can't come back, so nothing of it is kept."""
    path = shop.take("leads", format="doc", fields=FIELDS)
    text = path.read_text(encoding="utf-8")
    assert path.name == "leads-2.doc"
    assert text.count("<tr>") == 3
    assert "<th>Lead ID</th>" in text
    assert "<td>Ann &lt;&amp; Co&gt;</td><td>10</td>" in text
    assert '<td>two<br>lines | and a "quote" in it</td>' in text
    assert not sidecar(path).exists()


def test_parquet_has_types_and_instants_with_their_zone(shop: Shop) -> None:
    path = shop.take("leads", format="parquet", fields=("lead_id", "score", "tags", "created_at"))
    kinds = duckdb.sql(f"DESCRIBE FROM '{path}'").fetchall()
    assert {name: kind for name, kind, *_ in kinds} == {
        "lead_id": "VARCHAR",
        "score": "BIGINT",
        "tags": "VARCHAR[]",
        "created_at": "TIMESTAMP WITH TIME ZONE",
    }


@pytest.mark.parametrize("kind", READ_BACK)
def test_the_first_day_of_all_comes_back(shop: Shop, kind: str, tmp_path: Path) -> None:
    """In the home's zone it may lie in the year before the first."""
    early = "lead_id,created_at\nL1,0001-01-01T00:00:00+01:00\nL2,1850-01-01 00:00:00\n"
    shop.send(shop.write("early.csv", early), "leads")
    path = shop.take("leads", format=kind)
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, "leads")
        assert other.rows("leads") == shop.rows("leads")


@pytest.mark.parametrize("kind", READ_BACK)
def test_an_export_comes_back_into_an_empty_home(shop: Shop, kind: str, tmp_path: Path) -> None:
    """TST-04: text with line breaks, bars, quotes and signs, lists, and nothing at all."""
    path = shop.take("leads", format=kind)
    with open_shop(Home.at(tmp_path / "other" / "home")) as other:
        other.send(path, "leads")
        assert other.rows("leads") == shop.rows("leads")


@pytest.mark.parametrize("kind", ["xlsx", "parquet"])
def test_a_marked_file_needs_neither_record_nor_name(shop: Shop, kind: str, tmp_path: Path) -> None:
    path = shop.take("leads", format=kind)
    sidecar(path).unlink()
    shop.engine.edit("leads", "L2", {"name": "Later"}, shop.engine.author("cli"))
    job = shop.send(path.rename(tmp_path / f"mine.{kind}"), "leads", base=None)
    assert (job.source, job.commit) == ("export:2", None)
    assert job.notices == ["This file is an export of commit 1, as it was written."]


@pytest.mark.parametrize("character", ["\x01", "\x08", "\ufffe"])
def test_what_xml_can_t_hold_is_refused(shop: Shop, character: str) -> None:
    shop.engine.edit("leads", "L2", {"name": f"B{character}b"}, shop.engine.author("cli"))
    with pytest.raises(InputError) as caught:
        shop.take("leads", format="xml")
    assert caught.value.code == "character-unfit"
    assert "name of leads 'L2'" in caught.value.title
    shop.take("leads", format="xml", where="lead_id <> 'L2'")
