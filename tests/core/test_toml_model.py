"""A wrong TOML file is named with its file, its key and the nearest valid word."""

from __future__ import annotations

import os
import string
import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field as Key

from dataport.core.errors import ConfigError
from dataport.core.toml_model import TomlModel, check_model, load_model, read_toml


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Wheel(TomlModel):
    size: int = Key(26, ge=12)
    colour: Colour = Colour.RED


class Bike(TomlModel):
    name: str
    kind: Literal["road", "cargo"] = "road"
    first_owner: str | None = Key(None, alias="firstOwner")
    wheels: tuple[Wheel, ...] = ()
    spare: Wheel | None = None
    extras: dict[str, Wheel] = {}


def refusal(tmp_path: Path, text: str) -> ConfigError:
    path = tmp_path / "bike.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_model(Bike, path)
    assert str(path) in caught.value.title
    return caught.value


def test_a_right_file_becomes_the_model(tmp_path: Path) -> None:
    path = tmp_path / "bike.toml"
    path.write_text(
        'name = "Ada"\nkind = "cargo"\nfirstOwner = "Zoë"\n[[wheels]]\nsize = 20\ncolour = "green"\n',
        encoding="utf-8",
    )
    bike = load_model(Bike, path)
    assert bike == Bike(
        name="Ada",
        kind="cargo",
        first_owner="Zoë",
        wheels=(Wheel(size=20, colour=Colour.GREEN),),
    )


@pytest.mark.parametrize(
    ("text", "key", "nearest"),
    [
        ('nmae = "Ada"', "nmae", "name"),
        ('name = "Ada"\nfirst_ownr = "Zoë"', "first_ownr", "firstOwner"),
        ('name = "Ada"\nKIND = "road"', "KIND", "kind"),
        (
            'name = "Ada"\n[[wheels]]\nsize = 20\n[[wheels]]\ncolor = "red"',
            "wheels[1].color",
            "colour",
        ),
        ('name = "Ada"\n[spare]\nsizes = 20', "spare.sizes", "size"),
        ('name = "Ada"\n[extras.front]\nsise = 20', "extras.front.sise", "size"),
    ],
)
def test_an_unknown_key_is_named_with_the_nearest(
    tmp_path: Path, text: str, key: str, nearest: str
) -> None:
    error = refusal(tmp_path, text)
    assert error.code == "unknown-key"
    assert repr(key) in error.title
    assert error.hint == f"Did you mean {nearest!r}?"


def test_an_unknown_key_that_is_like_none_is_to_be_removed(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'name = "Ada"\nzzzzzz = 1')
    assert (error.code, error.hint) == ("unknown-key", "Remove it.")


@pytest.mark.parametrize(
    ("text", "key", "hint"),
    [
        ('name = "Ada"\nkind = "raod"', "kind", "Did you mean 'road'? Valid: road, cargo."),
        ('name = "Ada"\nkind = "x"', "kind", "Valid: road, cargo."),
        (
            'name = "Ada"\n[[wheels]]\ncolour = "GREN"',
            "wheels[0].colour",
            "Did you mean 'green'? Valid: red, green.",
        ),
        ('name = "Ada"\n[spare]\nsize = 3', "spare.size", ""),
        ('name = "Ada"\n[spare]\nsize = "big"', "spare.size", ""),
        ('name = "Ada"\nwheels = 3', "wheels", ""),
        ("name = 3", "name", ""),
    ],
)
def test_a_wrong_value_is_named_with_the_valid_words(
    tmp_path: Path, text: str, key: str, hint: str
) -> None:
    error = refusal(tmp_path, text)
    assert error.code == "wrong-value"
    assert repr(key) in error.title
    assert error.detail.endswith(".")
    assert error.hint == hint


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'kind = "road"')
    assert error.code == "missing-key"
    assert "'name'" in error.title


def test_several_mistakes_are_counted(tmp_path: Path) -> None:
    error = refusal(tmp_path, 'name = "Ada"\nx = 1\ny = 2\nz = 3')
    assert "(2 more in this file)" in error.title


@pytest.mark.parametrize("text", ['name = "Ada', "name = Ada", "[spare", "a = 1\na = 2"])
def test_text_that_is_not_toml_is_refused_with_the_line(tmp_path: Path, text: str) -> None:
    error = refusal(tmp_path, text)
    assert error.code == "config-syntax"
    assert "line" in error.detail or "end of document" in error.detail


def test_bytes_that_are_not_utf8_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "bike.toml"
    path.write_bytes(b'name = "Zo\xeb"\n')
    with pytest.raises(ConfigError, match="not valid TOML") as caught:
        read_toml(path)
    assert caught.value.code == "config-syntax"


def test_a_file_that_is_not_there_or_a_folder_is_unreadable(tmp_path: Path) -> None:
    for path in (tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigError) as caught:
            read_toml(path)
        assert caught.value.code == "config-unreadable"
        assert caught.value.detail == os.strerror(2 if path.suffix else 21)


VALUES = st.recursive(
    st.integers() | st.booleans() | st.text(max_size=8) | st.floats(allow_nan=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.text(string.ascii_letters + "_", min_size=1, max_size=8), inner, max_size=3
        )
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*Bike.model_fields, "firstOwner", "size", "nmae"])


@given(document=st.dictionaries(KEYS, VALUES, max_size=4))
def test_any_document_is_either_right_or_explained(document: dict[str, Any]) -> None:
    """Whatever stands in a file, people get a ConfigError and never a traceback."""
    refused: ConfigError | None = None
    try:
        check_model(Bike, document, Path("bike.toml"))
    except ConfigError as error:
        refused = error
    if refused is not None:
        assert refused.code in {"unknown-key", "wrong-value", "missing-key"}
        assert "bike.toml" in refused.title


@given(text=st.text(max_size=60))
def test_any_text_is_either_toml_or_explained(
    text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(text, encoding="utf-8", errors="replace", newline="")
    refused: ConfigError | None = None
    try:
        read_toml(path)
    except ConfigError as error:
        refused = error
    try:
        tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError:
        assert refused is not None
        assert refused.code == "config-syntax"
    else:
        assert refused is None
