"""Writes what is generated from the settings model, so that no key is described twice.

`python -m dataport.core.settings_reference` writes, in a checkout, docs/config.md (the reference),
docs/config.schema.json (for editors that complete TOML) and config/dataport.toml (the shipped file,
every key in it commented out at its default).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dataport.core.settings import Settings

CHECKOUT = Path(__file__).resolve().parent.parent.parent

_REQUIREMENT_IDS = re.compile(r" \((?:[A-Z]+-\d+(?:, )?)+\)")

_EXAMPLES: dict[str, dict[str, Any]] = {
    "inboxes": {"name": "crm-leads", "dataset": "leads", "source": "crm"},
    "policies": {"dataset": "leads", "source": "crm", "field": "phone", "merge": ["file"]},
}
"""An item of each `[[table]]` for the reader to copy: it needs only what ships."""

_TOML_HEAD = """\
# Settings of this home. A key that is commented out has the value shown.
# A change takes effect when the file is saved; a broken file changes nothing and is reported.
"""

_MARKDOWN_HEAD = """\
# Settings

Everything in `HOME/config/dataport.toml`. A key that is not set has its default. The daemon reads
the file again whenever it is saved; a file with an error changes nothing, and the error names the
file, the key and the nearest valid word.

[config.schema.json](config.schema.json) lets an editor check and complete the file. This page is
written by `make docs` from the settings model.
"""


@dataclass(frozen=True)
class Setting:
    """One key as people read about it."""

    name: str
    kind: str
    """Its type in words, with the valid words or limits: `whole number, at least 1`."""
    default: Any
    """The default as TOML could hold it; None where a key has none."""
    is_required: bool
    description: str


@dataclass(frozen=True)
class Table:
    """One TOML table; the top level is the one without a name."""

    name: str
    is_list: bool
    """True for `[[name]]`, of which a file may hold several."""
    description: str
    settings: tuple[Setting, ...]


def schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of dataport.toml."""
    document = _without_requirement_ids(Settings.model_json_schema(by_alias=True))
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **document}


def tables() -> tuple[Table, ...]:
    """Every table of dataport.toml, the top level first, in the model's order."""
    document = schema()
    top: list[Setting] = []
    below: list[Table] = []
    for name, node in document["properties"].items():
        target = _resolved(document, node)
        item = _resolved(document, target.get("items", {}))
        if "properties" in target or "properties" in item:
            shape = target if "properties" in target else item
            settings = tuple(_settings(document, shape))
            description = node.get("description", shape["description"])
            below.append(Table(name, shape is item, description, settings))
        else:
            top.append(_setting(document, document, name))
    return Table("", False, document["description"], tuple(top)), *below


def markdown() -> str:
    """docs/config.md."""
    parts = [_MARKDOWN_HEAD]
    for table in tables():
        heading = "Top level" if not table.name else f"`{_heading(table)}`"
        parts.append(f"\n## {heading}\n\n{table.description}\n\n")
        parts.append("| key | value | default | meaning |\n|---|---|---|---|\n")
        for setting in table.settings:
            default = "**required**" if setting.is_required else _code(setting.default)
            cells = (f"`{setting.name}`", setting.kind, default, setting.description)
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n")
        if table.is_list:
            parts.append(f"\n```toml\n{_heading(table)}\n{_example_lines(table)}```\n")
    return "".join(parts)


def shipped_toml() -> str:
    """config/dataport.toml: `# ` starts prose, a bare `#` a key at its default."""
    parts = [_TOML_HEAD]
    for table in tables():
        if table.name:
            mark = "#" if table.is_list else ""
            parts.append(f"\n# {table.description}\n{mark}{_heading(table)}\n")
        for setting in table.settings:
            parts.append(f"\n# {setting.description} {_sentence(setting.kind)}\n")
            parts.append(_shipped_line(table, setting))
    return "".join(parts)


def _shipped_line(table: Table, setting: Setting) -> str:
    value = setting.default
    if table.is_list:
        value = _EXAMPLES[table.name].get(setting.name, value)
    if value is None:
        return f'# Not set unless you write: {setting.name} = "..."\n'
    return f"#{setting.name} = {_toml(value)}\n"


def documents() -> dict[Path, str]:
    """What is generated, by path below the checkout."""
    return {
        Path("docs/config.md"): markdown(),
        Path("docs/config.schema.json"): json.dumps(schema(), indent=2) + "\n",
        Path("config/dataport.toml"): shipped_toml(),
    }


def write(root: Path = CHECKOUT) -> None:
    """Write every generated document below `root`."""
    for path, text in documents().items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")


def _settings(document: dict[str, Any], shape: dict[str, Any]) -> Iterator[Setting]:
    for name in shape["properties"]:
        yield _setting(document, shape, name)


def _setting(document: dict[str, Any], shape: dict[str, Any], name: str) -> Setting:
    node = shape["properties"][name]
    return Setting(
        name=name,
        kind=_kind(document, node),
        default=node.get("default"),
        is_required=name in shape.get("required", ()),
        description=node["description"],
    )


def _resolved(document: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """`node`, or the definition it refers to."""
    name = str(node.get("$ref", "")).removeprefix("#/$defs/")
    found: dict[str, Any] = document["$defs"][name] if name else node
    return found


def _kind(document: dict[str, Any], node: dict[str, Any]) -> str:
    node = _resolved(document, node)
    if "anyOf" in node:
        kinds = [kind for kind in node["anyOf"] if kind.get("type") != "null"]
        return " or ".join(_kind(document, kind) for kind in kinds)
    if "enum" in node:
        return "one of " + ", ".join(f'"{word}"' for word in node["enum"])
    if node["type"] == "array":
        return f"list of {_kind(document, node['items'])}"
    words = {"string": "text", "integer": "whole number", "number": "number"}
    bounds = {
        "minimum": "at least {}",
        "exclusiveMinimum": "more than {}",
        "maximum": "at most {}",
        "pattern": "matching {}",
    }
    limits = [text.format(node[bound]) for bound, text in bounds.items() if bound in node]
    return ", ".join([words.get(node["type"], "true or false"), *limits])


def _without_requirement_ids(node: Any) -> Any:
    """Descriptions as users read them: ids of requirements are for the code's readers."""
    if isinstance(node, dict):
        return {
            key: _REQUIREMENT_IDS.sub("", value)
            if key == "description" and isinstance(value, str)
            else _without_requirement_ids(value)
            for key, value in node.items()
        }
    return [_without_requirement_ids(item) for item in node] if isinstance(node, list) else node


def _heading(table: Table) -> str:
    return f"[[{table.name}]]" if table.is_list else f"[{table.name}]"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _code(value: Any) -> str:
    return "none" if value is None else f"`{_toml(value)}`"


def _toml(value: Any) -> str:
    """A default as TOML: JSON spells text, numbers, truth and lists the same way."""
    return json.dumps(value, ensure_ascii=False)


def _example_lines(table: Table) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in _EXAMPLES[table.name].items())


if __name__ == "__main__":
    write()
