"""XML in the plain shape that tools write, streamed, with lines (IMF-06)."""

from __future__ import annotations

import pytest

from dataport.core.errors import InputError
from dataport.engine.staging.request import StageLimits

TEXT = """<?xml version="1.0" encoding="UTF-8"?>
<!-- exported -->
<things>
  <thing id="1"><name>Ann &amp; Bob</name>
    <tags><tag>a</tag><tag>b</tag></tags><extra><deep>x</deep></extra></thing>

  <thing><id>2</id><name xsi:nil="true"/><tags/></thing>
  <thing><id>x</id><name><![CDATA[<b>]]></name></thing>
  <thing><id>4</id><name></name><tag>c</tag><tag>d</tag></thing>
</things>
"""


@pytest.fixture
def things(make):
    return make(
        {"name": "id", "type": "integer"},
        {"name": "name", "empty": "empty"},
        {"name": "tags", "type": "list"},
        {"name": "extra", "type": "object"},
        missingValues=[],
    )


def refused(read, content, dataset, name="file.xml", **words) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, dataset, name, **words)
    return caught.value


def test_elements_are_rows_with_lines_and_what_they_leave_out_is_absent(read, make) -> None:
    dataset = make(
        {"name": "id", "type": "integer"},
        {"name": "name"},
        {"name": "tags", "type": "list"},
        {"name": "extra", "type": "object"},
    )
    staged = read(TEXT, dataset, "file.xml")
    assert staged.rows("_record, _line, id, name, tags, extra") == [
        (1, 4, 1, "Ann & Bob", ["a", "b"], '{"deep":"x"}'),
        (2, 7, 2, None, None, None),
        (4, 9, 4, None, None, None),
    ]
    assert staged.rejects() == [(8, "type-error.integer")]
    assert staged.rows("_absent") == [(None,), (["extra"],), (["tags", "extra"],)]
    assert staged.result.ignored == ["tag"]
    assert (staged.result.format, staged.result.rows.read) == ("xml", 4)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "iso-8859-1", "windows-1252"])
def test_the_encoding_is_the_documents_own(read, things, encoding) -> None:
    name = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{name}"?><r><t><id>1</id><name>Zoë</name></t></r>'
    assert read(text.encode(encoding), things, "file.xml").rows("name") == [("Zoë",)]


def test_many_rows_in_small_pieces_are_the_same(read, things) -> None:
    rows = "".join(f"<t><id>{at}</id><name>n{at}</name></t>\n" for at in range(300))
    staged = read(f"<r>\n{rows}</r>", things, "file.xml", chunk=7)
    assert staged.rows("_line, id, name") == [(at + 2, at, f"n{at}") for at in range(300)]


BOMB = '<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r><t><id>&b;</id></t></r>'
OUTSIDE = '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><r><t><id>&a;</id></t></r>'
REFUSED = {
    "bomb": (BOMB, "unsafe-xml"),
    "outside": (OUTSIDE, "unsafe-xml"),
    "doctype": ("<!DOCTYPE r><r><t><id>1</id></t></r>", "unsafe-xml"),
    "cut": (TEXT[:-30], "xml-error"),
    "entity": ("<r><t><id>&nbsp;</id></t></r>", "xml-error"),
    "twice": ("<r><t><id>1</id></t></r><r/>", "xml-error"),
    "deep": ("<r><t>" + "<a>" * 200 + "</a>" * 200 + "</t></r>", "nested-too-deep"),
    "empty": ("<r></r>", "no-rows"),
    "wide": (
        "<r><t>" + "".join(f"<a{at}>1</a{at}>" for at in range(99)) + "</t></r>",
        "too-many-columns",
    ),
    "html": ("<!DOCTYPE html><html><body></body></html>", "format-error"),
    "text": ("id,name\n1,Ann\n", "format-error"),
}


@pytest.mark.parametrize(("text", "code"), REFUSED.values(), ids=REFUSED)
def test_what_is_unsafe_or_broken_is_refused(read, things, text, code) -> None:
    """SEC-05: entities and document types are never expanded nor fetched."""
    assert refused(read, text, things, limits=StageLimits(columns=50)).code == code


def test_xml_under_another_name_is_an_error(read, things) -> None:
    assert refused(read, TEXT, things, "file.csv").code == "format-error"
    assert len(read(TEXT.replace("x</id>", "3</id>"), things, "file").rows()) == 4
