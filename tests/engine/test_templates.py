"""Files to fill in, of every dataset (ITP-01, ITP-02, ITP-03, V-17)."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import python_calamine as calamine

from dataport.core.paths import Home, shipped_config
from dataport.engine.catalog.load import load_datasets
from dataport.engine.catalog.model import Dataset
from dataport.engine.template_workbook import template_workbook
from tests.engine.importing.shop import Shop, open_shop

DATASETS = load_datasets([shipped_config() / "datasets"])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(Home.at(tmp_path_factory.mktemp("templates") / "home")) as shop:
        yield shop


@pytest.mark.parametrize("name", DATASETS)
@pytest.mark.parametrize("kind", ["csv", "json", "xlsx"])
def test_a_template_is_a_file_that_can_be_imported(shop: Shop, name: str, kind: str) -> None:
    """Its header has every field that is set by hand, and its example passes every check."""
    document = shop.engine.template(name, kind)
    path = shop.folder / f"{name}.{kind}"
    path.write_bytes(
        base64.b64decode(document["content"]) if kind == "xlsx" else document["text"].encode()
    )
    job = shop.send(path, name, source=f"template-{kind}")
    assert (job.rows or {})["valid"] == 1
    fields = [field for field in DATASETS[name].fields if not field.is_computed]
    assert [column["name"] for column in document["columns"]] == [field.name for field in fields]
    assert all(f"| `{field.name}` |" in document["page"] for field in fields)


def test_personal_values_stay_out_of_the_example(shop: Shop) -> None:
    document = shop.engine.template("leads", "csv")
    examples = {column["name"]: column["example"] for column in document["columns"]}
    personal = {field.name for field in DATASETS["leads"].fields if field.personal}
    assert {examples[name] for name in personal} == {""}
    assert examples["company"] == "Nordwind GmbH"
    numbers = {
        c["name"]: c["example"] for c in shop.engine.template("phone_numbers", "csv")["columns"]
    }
    assert numbers["phone_number"]
    assert "area_code" not in numbers


def test_the_page_says_what_a_column_holds(shop: Shop) -> None:
    page = shop.engine.template("leads", "csv")["page"]
    assert "| `status` | text |  | one of new, contacted, qualified" in page
    assert "| `score` | whole number |  | at least 0, at most 100 |" in page
    assert "| `email` | e-mail address |" in page


def test_a_workbook_describes_its_columns_itself(shop: Shop) -> None:
    """ITP-01 to ITP-03: the form alone is imported, whether its dataset is named or not."""
    document = shop.engine.template("leads", "xlsx")
    content = base64.b64decode(document["content"])
    with calamine.CalamineWorkbook.from_filelike(io.BytesIO(content)) as book:
        assert book.sheet_names == ["leads", "Columns"]
        form, about = (book.get_sheet_by_name(name).to_python() for name in book.sheet_names)
    assert form[0] == [column["name"] for column in document["columns"]]
    assert len(form) == 2
    described = {row[0]: row for row in about[1:]}
    assert list(described) == form[0]
    assert described["score"][2:5] == ["whole number", "", "at least 0, at most 100"]
    path = shop.folder / "filled.xlsx"
    path.write_bytes(content)
    job = shop.send(path, source="form")
    assert [part.dataset for part in job.members] == ["leads"]


def test_an_example_in_a_notation_of_its_own_is_text(shop: Shop, tmp_path: Path) -> None:
    """And a dataset may be called as the sheet that describes the columns."""
    fields = [
        {"name": "id"},
        {"name": "day", "type": "date", "example": "31.12.2024"},
        {"name": "price", "type": "number", "example": "1 234,50"},
        {"name": "paid", "type": "boolean", "example": "yes"},
        {"name": "open", "type": "boolean", "example": "true"},
    ]
    dataset = Dataset.model_validate({"name": "columns", "primaryKey": ["id"], "fields": fields})
    example = {field.name: field.example or "" for field in dataset.fields}
    path = tmp_path / "columns.xlsx"
    path.write_bytes(template_workbook(dataset, example, []))
    with calamine.load_workbook(path) as book:
        assert book.sheet_names == ["columns", "Columns 2"]
        row = book.get_sheet_by_index(0).to_python()[1]
    assert row == ["", "31.12.2024", "1 234,50", "yes", True]
