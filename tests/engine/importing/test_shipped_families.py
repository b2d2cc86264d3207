"""The five families work from their definition files alone (issue 4, requirements L1 to L13)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dataport.core.errors import InputError, UsageError
from dataport.core.paths import Home, shipped_config
from dataport.core.words import JobStatus, Origin
from dataport.engine.catalog.load import load_datasets
from tests.engine.importing.shop import Shop, open_shop

DATASETS = load_datasets([shipped_config() / "datasets"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(Home.at(tmp_path_factory.mktemp("families") / "home")) as shop:
        yield shop


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("kind", ["csv", "json"])
def test_the_example_of_a_definition_goes_in_and_out_unchanged(
    shop: Shop, name: str, kind: str
) -> None:
    """TST-04: what is exported is what was imported, and importing it again changes nothing."""
    fields = [field for field in DATASETS[name].fields if not field.is_computed]
    example = {field.name: field.example or "" for field in fields}
    first = shop.send(shop.table(f"{name}.csv", example), name, source=f"first-{kind}")
    assert first.status is JobStatus.COMPLETED
    assert (first.rows or {})["valid"] == 1
    stored = shop.rows(name)
    assert [all(row[field.name] is not None for field in fields) for row in stored].count(True) == 1
    again = shop.send(shop.take(name, format=kind), name, source=f"first-{kind}")
    assert {word: n for word, n in (again.changes or {}).items() if n} == {"unchanged": len(stored)}
    assert shop.rows(name) == stored


def test_every_member_of_every_package_ships() -> None:
    packages = {path.stem for path in (shipped_config() / "packages").glob("*.toml")}
    assert packages == {"goals", "helpdesk", "phone_campaign", "time_tracking"}


class TestCampaigns:
    """REC-03, REC-04, DUP-04."""

    @pytest.fixture
    def shop(self, home: Home) -> Iterator[Shop]:
        with open_shop(home) as shop:
            yield shop

    def recipients(self, shop: Shop, *rows: tuple[str, str]) -> None:
        cells = [{"campaign_id": campaign, "phone_number": number} for campaign, number in rows]
        shop.send(shop.table("recipients.csv", *cells), "sms_recipients")

    def counts(self, shop: Shop, **wanted: str) -> dict[str, int]:
        rows = shop.rows("campaigns", **wanted)
        return {row["campaign_id"]: row["recipient_count"] for row in rows}

    def test_a_campaign_counts_its_recipients(self, shop: Shop) -> None:
        """Each number once a campaign, and in two campaigns twice; a new campaign is added."""
        self.recipients(shop, ("a", "555-123-4567"), ("a", "15551234567"), ("b", "5551234567"))
        self.recipients(shop, ("a", "555-123-4568"))
        assert self.counts(shop) == {"a": 2, "b": 1}
        assert self.counts(shop, as_of="1") == {"a": 1, "b": 1}
        assert self.counts(shop, where="recipient_count > 1") == {"a": 2}

    def test_an_export_has_the_count_and_comes_back(self, shop: Shop) -> None:
        self.recipients(shop, ("a", "555-123-4567"))
        path = shop.take("campaigns")
        assert path.read_text().splitlines() == ["campaign_id,name,recipient_count", "a,,1"]
        job = shop.send(path, "campaigns")
        assert job.notices == []
        assert {word: n for word, n in (job.changes or {}).items() if n} == {"unchanged": 1}

    def test_a_list_goes_into_the_campaign_that_is_chosen(self, shop: Shop) -> None:
        """IMF-02, IMF-04, V-39: the caller names it; the same file goes into another one, too."""
        path = shop.write("list.txt", "(555) 123-4567\n555-123-4568\n")
        with pytest.raises(InputError, match="campaign_id") as caught:
            shop.send(path, "sms_recipients")
        assert "--set campaign_id=VALUE" in caught.value.hint
        for campaign in ("a", "b"):
            shop.send(path, "sms_recipients", set={"campaign_id": campaign})
        assert self.counts(shop) == {"a": 2, "b": 2}
        again = shop.send(path, "sms_recipients", set={"campaign_id": "b"})
        assert again.message.startswith("Already imported")
        with pytest.raises(UsageError, match="campaing"):
            shop.send(path, "sms_recipients", set={"campaing": "a"})

    def test_nobody_sets_a_count(self, shop: Shop) -> None:
        self.recipients(shop, ("a", "555-123-4567"))
        author = shop.engine.author(Origin.CLI)
        with pytest.raises(UsageError) as caught:
            shop.engine.edit("campaigns", "a", {"recipient_count": 7}, author)
        assert caught.value.code == "value-is-computed"


def test_a_helpdesk_s_records_are_skipped_where_they_are_there(shop: Shop) -> None:
    """X-09, DUP-08, DUP-09: unless the import says something else."""
    for name, status, asked in (
        ("1", "open", {}),
        ("2", "closed", {}),
        ("3", "solved", {"on_match": "overwrite"}),
    ):
        folder = shop.folder / f"desk-{name}"
        folder.mkdir()
        (folder / "tickets.csv").write_text(f"id,status\nt9,{status}\n")
        shop.send(folder, package="helpdesk", **asked)
        [row] = shop.rows("tickets", where="id = 't9'")
        assert row["status"] == {"1": "open", "2": "open", "3": "solved"}[name]


def test_a_workbook_s_words_for_done_are_known(shop: Shop, tmp_path: Path) -> None:
    """EXF-17: the Goals sheet says Completed or Active."""
    path = shop.write("g.csv", "ID,Title,Status\ng1,Run,Completed\ng2,Swim,Active\n")
    shop.send(path, "goals", source="sheet")
    rows = {row["id"]: row["isCompleted"] for row in shop.rows("goals", where="id LIKE 'g_'")}
    assert rows == {"g1": True, "g2": False}
