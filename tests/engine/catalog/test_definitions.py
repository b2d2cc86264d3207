"""Dataset definitions are checked when they are loaded (design section 6)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dataport.core.errors import ConfigError, NotFoundError
from dataport.core.paths import shipped_config
from dataport.engine.catalog.load import find_dataset, load_dataset, load_datasets
from dataport.engine.catalog.model import SQL_TYPES, FieldType
from dataport.engine.catalog.policies import Policy, PolicyName, parse_policies, parse_policy

SHIPPED = shipped_config() / "datasets"

HEAD = 'name = "pets"\nprimaryKey = ["pet_id"]\n'
KEY_FIELD = '[[fields]]\nname = "pet_id"\n'
PAIR = KEY_FIELD + '[[fields]]\nname = "name"\n[[fields]]\nname = "born"\n'


def written(directory: Path, text: str, name: str = "pets") -> Path:
    path = directory / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refusal(tmp_path: Path, text: str) -> ConfigError:
    path = written(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load_dataset(path)
    assert str(path) in str(caught.value)
    return caught.value


def test_the_smallest_definition_has_a_name_a_key_and_a_field(tmp_path: Path) -> None:
    dataset = load_dataset(written(tmp_path, HEAD + KEY_FIELD))
    assert dataset.primary_key == ("pet_id",)
    assert dataset.field_names == ("pet_id",)
    assert dataset.field("pet_id").policies == ()


def test_a_key_of_one_field_may_be_written_as_text(tmp_path: Path) -> None:
    """Table Schema allows both spellings of primaryKey."""
    dataset = load_dataset(written(tmp_path, 'name = "pets"\nprimaryKey = "pet_id"\n' + KEY_FIELD))
    assert dataset.primary_key == ("pet_id",)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_every_shipped_definition_is_right_and_described(path: Path) -> None:
    dataset = load_dataset(path)
    assert dataset.title
    assert dataset.description
    assert all(field.title and field.example for field in dataset.fields)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*.toml")), ids=lambda path: path.stem)
def test_no_alias_of_a_shipped_definition_names_two_fields(path: Path) -> None:
    dataset = load_dataset(path)
    words = [
        re.sub(r"[^a-z0-9]", "", word.lower())
        for field in dataset.fields
        for word in {field.name, *field.aliases}
    ]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("nam = 1\n" + HEAD + KEY_FIELD, "unknown-key", ["'nam'", "'name'"]),
        (HEAD + 'primarykey = ["pet_id"]\n' + KEY_FIELD, "unknown-key", ["'primaryKey'"]),
        (HEAD + KEY_FIELD + 'alias = ["id"]', "unknown-key", ["'fields[0].alias'", "'aliases'"]),
        (
            HEAD + KEY_FIELD + "constraints = { maxlength = 3 }",
            "unknown-key",
            ["'fields[0].constraints.maxlength'", "'maxLength'"],
        ),
        (HEAD + KEY_FIELD + 'type = "integr"', "wrong-value", ["'fields[0].type'", "'integer'"]),
        (HEAD + KEY_FIELD + 'normalise = ["trimm"]', "wrong-value", ["normalise[0]", "'trim'"]),
        (HEAD + 'duplicates = "latest"\n' + KEY_FIELD, "wrong-value", ["'duplicates'", "'last'"]),
        (HEAD + KEY_FIELD + 'empty = "nul"', "wrong-value", ["'null'", "absent"]),
        (HEAD + KEY_FIELD + 'phone = { style = "e146" }', "wrong-value", ["'e164'"]),
        (
            HEAD + KEY_FIELD + 'constraints = { pattern = "(" }',
            "wrong-value",
            ["'fields[0].constraints.pattern'", "not a regular expression"],
        ),
        (HEAD + KEY_FIELD + "constraints = { minLength = -1 }", "wrong-value", ["minLength"]),
        (HEAD + KEY_FIELD + KEY_FIELD, "wrong-value", ["'pet_id' is defined twice"]),
        (HEAD + KEY_FIELD + '[[fields]]\nname = "Pet_ID"', "wrong-value", ["upper and lower case"]),
        (HEAD + '[[fields]]\nname = "other"', "wrong-value", ["'pet_id'", "fields: other"]),
        (HEAD + 'dateField = "born"\n' + KEY_FIELD, "wrong-value", ["'born'"]),
        (HEAD + 'match = [["chip"]]\n' + KEY_FIELD, "wrong-value", ["'chip'"]),
        (HEAD + 'headerless = ["chip"]\n' + KEY_FIELD, "wrong-value", ["'chip'"]),
        (HEAD + '[[fields]]\nname = "pet id"', "wrong-value", ["'pet id' is not a name"]),
        (HEAD + """[[fields]]\nname = 'a"; drop'""", "wrong-value", ["is not a name"]),
        (HEAD + "[[fields]]", "missing-key", ["'fields[0].name'"]),
        (HEAD, "missing-key", ["'fields'"]),
        (HEAD + "fields = []", "wrong-value", ["'fields'"]),
        ('name = "pets"\n' + KEY_FIELD, "missing-key", ["'primaryKey'"]),
        ('name = "pets"\nprimaryKey = []\n' + KEY_FIELD, "wrong-value", ["'primaryKey'"]),
        (HEAD + KEY_FIELD + 'merge = "stor"', "wrong-value", ["'fields[0].merge'", "'store'"]),
        (HEAD + KEY_FIELD + 'merge = ["newest"]', "wrong-value", ["newest(updated_at)"]),
        (HEAD + KEY_FIELD + 'merge = "newest(born)"', "wrong-value", ["'born'"]),
        (HEAD + KEY_FIELD + 'merge = "max(pet_id)"', "wrong-value", ["others none"]),
        (HEAD + KEY_FIELD + 'merge = "union"', "wrong-value", ["list fields only"]),
        (HEAD + KEY_FIELD + 'merge = "add_delta"', "wrong-value", ["number fields only"]),
        (HEAD + 'merge = "fil"\n' + KEY_FIELD, "wrong-value", ["'merge'", "'fill'"]),
        (HEAD + 'merge = "newest(born)"\n' + KEY_FIELD, "wrong-value", ["'born'"]),
        (HEAD + 'granularity = "field"\n' + KEY_FIELD, "wrong-value", ["'cell'", "touched"]),
        (HEAD + 'groups = [["name"]]\n' + PAIR, "wrong-value", ["at least two fields"]),
        (HEAD + 'groups = [["name", "chip"]]\n' + PAIR, "wrong-value", ["'chip'"]),
        (HEAD + 'groups = [["name", "pet_id"]]\n' + PAIR, "wrong-value", ["part of the key"]),
        (
            HEAD + 'groups = [["name", "born"], ["born", "name"]]\n' + PAIR,
            "wrong-value",
            ["in two groups"],
        ),
        (
            HEAD + 'groups = [["name", "born"]]\n' + PAIR + 'merge = "max"',
            "wrong-value",
            ["group name+born", "not several at once"],
        ),
        (
            HEAD
            + 'groups = [["name", "born"]]\n'
            + PAIR.replace('"name"', '"name"\nmerge = "file"')
            + 'merge = "store"',
            "wrong-value",
            ["group name+born", "the same policies"],
        ),
    ],
)
def test_a_mistake_names_file_key_and_way_out(
    tmp_path: Path, text: str, code: str, words: list[str]
) -> None:
    error = refusal(tmp_path, text)
    assert error.code == code
    for word in words:
        assert word in str(error)


def test_a_definition_is_called_as_its_file_is(tmp_path: Path) -> None:
    path = written(tmp_path, HEAD + KEY_FIELD, name="animals")
    with pytest.raises(ConfigError) as caught:
        load_dataset(path)
    assert caught.value.hint == "Rename the file to pets.toml, or the dataset to 'animals'."


def test_a_definition_of_the_home_stands_above_the_shipped_one(tmp_path: Path) -> None:
    written(tmp_path, HEAD.replace("pets", "leads") + KEY_FIELD, name="leads")
    datasets = load_datasets([SHIPPED, tmp_path, tmp_path / "none"])
    assert datasets["leads"].field_names == ("pet_id",)
    assert set(datasets) == {path.stem for path in SHIPPED.glob("*.toml")}


def test_an_unknown_dataset_is_answered_with_the_nearest() -> None:
    datasets = load_datasets([SHIPPED])
    assert find_dataset(datasets, "leads").name == "leads"
    with pytest.raises(NotFoundError, match="Did you mean 'leads'") as caught:
        find_dataset(datasets, "lead")
    assert caught.value.code == "unknown-dataset"
    with pytest.raises(NotFoundError, match=r"Known datasets: .*clients, .*leads, .*phone_numbers"):
        find_dataset(datasets, "xyz")


def test_every_type_has_a_column_type() -> None:
    assert set(SQL_TYPES) == set(FieldType)


@pytest.mark.parametrize(
    ("extra", "sql_type"),
    [
        ("", "DOUBLE"),
        ("scale = 2", "DECIMAL(18,2)"),
        ("scale = 2\nprecision = 9", "DECIMAL(9,2)"),
    ],
)
def test_numbers_keep_their_decimals_where_the_definition_says_so(
    tmp_path: Path, extra: str, sql_type: str
) -> None:
    """Design section 14."""
    text = HEAD + KEY_FIELD + f'[[fields]]\nname = "weight"\ntype = "number"\n{extra}\n'
    assert load_dataset(written(tmp_path, text)).field("weight").sql_type == sql_type


@pytest.mark.parametrize(
    ("text", "policy"),
    [
        ("ask", Policy(PolicyName.ASK)),
        (" ours ", Policy(PolicyName.STORE)),
        ("theirs", Policy(PolicyName.FILE)),
        ("newest(updated_at)", Policy(PolicyName.NEWEST, "updated_at")),
    ],
)
def test_policies_are_read_with_their_synonyms(text: str, policy: Policy) -> None:
    """merge.md 5.6."""
    assert parse_policy(text) == policy


def test_a_chain_keeps_its_order() -> None:
    chain = parse_policies(("fill", "source_rank", "ask"))
    assert [policy.name for policy in chain] == ["fill", "source_rank", "ask"]


@pytest.mark.parametrize("text", ["", "Ask", "newest()", "ask;", "drop table", "newest(a b)"])
def test_a_policy_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no merge policy"):
        parse_policy(text)
