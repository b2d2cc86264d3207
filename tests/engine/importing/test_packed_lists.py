"""Phone lists without a header, packed: read as they are unpacked (IMF-04, IMF-05, V-14)."""

from __future__ import annotations

from pathlib import Path

import pytest

from dataport.core.errors import InputError
from dataport.core.words import JobStatus
from tests.engine.importing.shop import Shop

SPRING = "(202) 555-0134\n202-555-0135\n"
FALL = "Numbers of fall\n2025550136,12025550137\n"
TABLE = "2025550138,AT&T,mobile\n2025550139,,\n"


def numbers(shop: Shop) -> list[str]:
    return [row["phone_number"] for row in shop.rows("phone_numbers", sort=("phone_number",))]


@pytest.mark.parametrize("lists", [{"a.txt": SPRING}, {"a.txt": SPRING, "b/c.txt": FALL}])
def test_packed_lists_are_read_as_they_are_unpacked(shop: Shop, lists: dict[str, str]) -> None:
    packed = shop.send(shop.pack("lists.zip", lists), "phone_numbers", source="packed")
    assert packed.status is JobStatus.COMPLETED
    stored, rows = numbers(shop), packed.members[0].rows or {}
    single = [
        shop.send(shop.write(Path(name).name, text), "phone_numbers")
        for name, text in lists.items()
    ]
    each = [job.members[0].rows or {} for job in single]
    assert rows == {key: sum(one[key] for one in each) for key in rows}
    assert stored == [f"1202555013{at}" for at in range(4, 4 + 2 * len(lists))]
    assert numbers(shop) == stored


def test_lists_and_tables_without_a_header_go_together(shop: Shop) -> None:
    job = shop.send(shop.pack("lists.zip", {"a.txt": SPRING, "b.csv": TABLE}), "phone_numbers")
    assert job.status is JobStatus.COMPLETED
    assert numbers(shop) == [f"1202555013{at}" for at in (4, 5, 8, 9)]
    carriers = {row["phone_number"]: row["carrier"] for row in shop.rows("phone_numbers")}
    assert carriers["12025550138"] == "AT&T"


def test_a_text_that_is_no_list_is_left_out_and_told(shop: Shop) -> None:
    prose = "These are the numbers of spring.\nAsk Ann on 202-555-0199.\nThey are ours.\n"
    job = shop.send(shop.pack("lists.zip", {"a.txt": SPRING, "about.txt": prose}), "phone_numbers")
    assert numbers(shop) == ["12025550134", "12025550135"]
    assert any("about.txt is left out" in notice for notice in job.notices)


def test_texts_are_no_lists_of_a_dataset_that_has_none(shop: Shop) -> None:
    with pytest.raises(InputError) as caught:
        shop.send(shop.pack("lists.zip", {"a.txt": SPRING, "b.txt": FALL}), "leads")
    assert caught.value.code == "several-tables"
