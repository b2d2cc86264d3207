"""What is generated from the settings model is fresh and true."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from dataport.core.settings import Inbox, PolicyRule, Settings, load_settings
from dataport.core.settings_reference import CHECKOUT, documents, schema, tables, write

SHIPPED = CHECKOUT / "config" / "dataport.toml"


@pytest.mark.parametrize("path", documents(), ids=str)
def test_the_generated_files_are_fresh(path: Path) -> None:
    """`make docs` writes them again."""
    assert (CHECKOUT / path).read_text(encoding="utf-8") == documents()[path]


def test_writing_makes_all_of_them(tmp_path: Path) -> None:
    write(tmp_path)
    found = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert found == set(documents())


def test_the_shipped_file_as_it_is_means_the_defaults() -> None:
    assert load_settings(SHIPPED) == Settings()


def test_every_key_in_the_shipped_file_stands_at_its_default() -> None:
    """Taking the `#` off every key changes nothing but the examples of `[[tables]]`."""
    text = re.sub(r"^#(?! )", "", SHIPPED.read_text(encoding="utf-8"), flags=re.MULTILINE)
    settings = Settings.model_validate(tomllib.loads(text))
    assert settings.model_copy(update={"inboxes": (), "policies": ()}) == Settings()
    assert settings.inboxes == (Inbox(name="crm-leads", dataset="leads", source="crm"),)
    rule = PolicyRule(dataset="leads", source="crm", field="phone", merge=("file",))
    assert settings.policies == (rule,)


def test_every_key_is_described_in_every_document() -> None:
    for text in documents().values():
        for table in tables():
            for setting in table.settings:
                assert setting.name in text
                assert json.dumps(setting.description)[1:-1] in text


def test_all_tables_and_keys_of_the_model_are_listed() -> None:
    listed = {table.name: {setting.name for setting in table.settings} for table in tables()}
    nested = {name for name in Settings.model_fields if name in listed}
    assert nested == {"limits", "guards", "daemon", "watch", "history", "inboxes", "policies"}
    assert listed[""] == set(Settings.model_fields) - nested
    assert listed["inboxes"] == set(Inbox.model_fields)
    assert listed["policies"] == set(PolicyRule.model_fields)


def test_readers_of_the_reference_meet_no_ids_of_requirements() -> None:
    for text in documents().values():
        assert not re.search(r"\b[A-Z]+-\d+\b", text.replace("UTF-8", ""))


def test_the_schema_forbids_unknown_keys_everywhere() -> None:
    document = schema()
    shapes = [document, *document["$defs"].values()]
    objects = [shape for shape in shapes if shape["type"] == "object"]
    assert len(objects) == 8
    assert all(shape["additionalProperties"] is False for shape in objects)
