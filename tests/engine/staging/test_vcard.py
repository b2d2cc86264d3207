"""vCard 2.1, 3.0 and 4.0: a row a card (IMF-14)."""

from __future__ import annotations

import pytest

from dataport.core.errors import InputError

CARDS = """BEGIN:VCARD
VERSION:3.0
N:Åström;Zoë;;Dr.;
FN:Dr. Zoë Åström
ORG:Nordwind\\, GmbH;Einkauf
TITLE:Head of \\; everything
EMAIL;TYPE=HOME:z.astrom@example.org
item1.EMAIL;TYPE=INTERNET,WORK,pref:zoe@example.com
item1.X-ABLabel:_$!<Work>!$_
TEL;TYPE=CELL,VOICE:+1 202-555-0134
NOTE:first line\\nsecond line\\, folded\x20
 over two
PHOTO;ENCODING=b:/9j/4AAQSkZJRg
 ABAQ==
CATEGORIES:Leads,Fair 2026
ADR:;;1 Main St;Springfield;IL;62701;US
END:VCARD

BEGIN:VCARD
VERSION:4.0
FN:山田 太郎
N:山田;太郎;;;
EMAIL;PREF=1;TYPE=work:taro@example.com
TEL;VALUE=uri;TYPE="voice,cell":tel:+81-3-0000-0000
BDAY:19800307
REV:20260302T080000Z
UID:urn:uuid:2
END:VCARD
BEGIN:VCARD
VERSION:2.1
N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BC=
ller
TEL;CELL:+49 151 123
END:VCARD
"""


@pytest.fixture
def people(make):
    names = "fn given family prefix email email_2 tel org department title note categories street"
    return make(*({"name": name} for name in f"{names} city bday rev uid".split()), match=[["fn"]])


def refused(read, content, dataset, name="file.vcf", **words) -> InputError:
    with pytest.raises(InputError) as caught:
        read(content, dataset, name, **words)
    return caught.value


def test_cards_of_all_versions_are_rows(read, people) -> None:
    staged = read(CARDS, people, "file.vcf")
    assert staged.rejects() == []
    assert staged.rows("_line, fn, given, family, email, email_2, tel") == [
        (1, "Dr. Zoë Åström", "Zoë", "Åström", "zoe@example.com", "z.astrom@example.org",
         "+1 202-555-0134"),
        (19, "山田 太郎", "太郎", "山田", "taro@example.com", None, "+81-3-0000-0000"),
        (29, "Jörg Müller", "Jörg", "Müller", None, None, "+49 151 123"),
    ]  # fmt: skip
    assert staged.rows("org, department, title, note, categories, street, city")[0] == (
        "Nordwind, GmbH",
        "Einkauf",
        "Head of ; everything",
        "first line\nsecond line, folded over two",
        "Leads; Fair 2026",
        "1 Main St",
        "Springfield",
    )
    assert staged.rows("bday, rev, uid")[1] == ("1980-03-07", "2026-03-02T08:00:00Z", "urn:uuid:2")
    assert (staged.result.format, staged.result.rows.read) == ("vcard", 3)


def test_a_card_that_is_broken_is_rejected_alone(read, people) -> None:
    text = (
        "BEGIN:VCARD\nVERSION:3.0\nFN:Ann\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Bob\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Cid\nEND:VCARD\n"
        "stray words\n\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:D\0n\nEND:VCARD\n"
        "BEGIN:VCARD\nVERSION:3.0\nFN:Eve\n"
    )
    staged = read(text, people, "file.vcf")
    assert staged.rows("_record, _line, fn") == [(1, 1, "Ann"), (3, 8, "Cid")]
    assert staged.rejects("_record, _line, code") == [
        (2, 5, "vcard-error"),
        (4, 12, "vcard-error"),
        (5, 14, "nul-byte"),
        (6, 18, "vcard-error"),
    ]
    rows = staged.result.rows
    assert (rows.read, rows.valid, rows.rejected) == (6, 2, 4)


def test_old_encodings_are_found_out(read, people) -> None:
    text = "BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Zoë\r\nEND:VCARD\r\n"
    assert read(text.encode("cp1252"), people, "file.vcf").rows("fn") == [("Zoë",)]
    assert read(text.encode("utf-16"), people, "file.vcf").rows("fn") == [("Zoë",)]


def test_cards_in_small_pieces_are_the_same(read, people) -> None:
    staged = read(CARDS.replace("\n", "\r\n"), people, "file.vcf", chunk=5)
    assert staged.rows("_line") == [(1,), (19,), (29,)]


def test_names_and_content_agree(read, people) -> None:
    assert refused(read, CARDS, people, "file.csv").code == "format-error"
    assert refused(read, "fn,tel\nAnn,1\n", people).code == "format-error"
    assert len(read(CARDS, people, "contacts.txt").rows()) == 3
