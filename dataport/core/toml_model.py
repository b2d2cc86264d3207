"""TOML files read into strict pydantic models, with errors that name file, key and nearest word."""

from __future__ import annotations

import difflib
import tomllib
import types
import typing
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from dataport.core.errors import ConfigError


class TomlModel(BaseModel):
    """Base of every model read from TOML: unknown keys are errors, values are not coerced."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


ModelT = TypeVar("ModelT", bound=TomlModel)


def read_toml(path: Path) -> dict[str, Any]:
    """The document in `path`. Raises ConfigError if it can't be read or isn't TOML."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(
            "config-unreadable", f"{path} can't be read.", error.strerror or str(error)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            "config-syntax",
            f"{path} is not valid TOML.",
            f"{error}.",
            "Fix the line; strings need quotes, tables need [brackets].",
        ) from error


def load_model(model: type[ModelT], path: Path) -> ModelT:
    """`path` as a `model`. Raises ConfigError for the first thing that is wrong in it."""
    return check_model(model, read_toml(path), path)


def check_model(model: type[ModelT], document: dict[str, Any], path: Path) -> ModelT:
    """A parsed TOML document as a `model`; `path` is named in the error."""
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise _explain(model, error, path) from error


def _explain(model: type[TomlModel], error: ValidationError, path: Path) -> ConfigError:
    found = error.errors(include_url=False)
    # A misspelt key is also a missing one: the word that stands there is what people look for.
    first = next((item for item in found if item["type"] == "extra_forbidden"), found[0])
    location = tuple(first["loc"])
    key = _dotted(location)
    rest = len(found) - 1
    more = f" ({rest} more in this file)" if rest else ""
    if first["type"] == "extra_forbidden":
        nearest = _nearest(str(location[-1]), _keys_at(model, location[:-1]))
        hint = f"Did you mean {nearest!r}?" if nearest else "Remove it."
        return ConfigError("unknown-key", f"{path}: unknown key {key!r}{more}.", hint=hint)
    if first["type"] == "missing":
        return ConfigError("missing-key", f"{path}: {key!r} is missing{more}.", hint="Add it.")
    words = _words_at(model, location)
    nearest = _nearest(str(first.get("input", "")), words)
    hint = f"Did you mean {nearest!r}?" if nearest else ""
    if words:
        hint = f"{hint} Valid: {', '.join(words)}.".strip()
    message = str(first["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")
    return ConfigError(
        "wrong-value", f"{path}: {key!r} has a wrong value{more}.", f"{message}.", hint
    )


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the file"


def _nearest(word: str, words: list[str]) -> str | None:
    folded = {candidate.lower(): candidate for candidate in words}
    found = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.5)
    return folded[found[0]] if found else None


def _keys_at(model: type[TomlModel], location: tuple[int | str, ...]) -> list[str]:
    target: Any = model
    for part in location:
        target = _step(target, part)
    return [
        info.alias or name
        for candidate in _unwrapped(target)
        for name, info in getattr(candidate, "model_fields", {}).items()
    ]


def _words_at(model: type[TomlModel], location: tuple[int | str, ...]) -> list[str]:
    target: Any = model
    for part in location:
        target = _step(target, part)
    for candidate in _unwrapped(target):
        if isinstance(candidate, type) and issubclass(candidate, Enum):
            return [str(member.value) for member in candidate]
        if typing.get_origin(candidate) is typing.Literal:
            return [str(value) for value in typing.get_args(candidate)]
    return []


def _step(target: Any, part: int | str) -> Any:
    """The annotation one level down: a field of a model, or the item of a list or table."""
    for candidate in _unwrapped(target):
        origin, arguments = typing.get_origin(candidate), typing.get_args(candidate)
        if isinstance(part, int) and origin in (list, tuple):
            return arguments[0]
        if isinstance(part, str) and origin is dict:
            return arguments[1]
        if isinstance(part, str) and isinstance(candidate, type):
            for name, info in getattr(candidate, "model_fields", {}).items():
                if part in (name, info.alias):
                    return info.annotation
    return None


def _unwrapped(target: Any) -> list[Any]:
    if typing.get_origin(target) in (typing.Union, types.UnionType):
        return [part for item in typing.get_args(target) for part in _unwrapped(item)]
    if typing.get_origin(target) is typing.Annotated:
        return _unwrapped(typing.get_args(target)[0])
    return [target]
