"""The mappings of a home: which there are, what they say, and writing one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dataport.engine.catalog.mappings import MappingFile, find_mapping


class Mappings:
    """Mappings of one home, as definitions in force."""

    def __init__(self, mappings: Callable[[], Mapping[str, MappingFile]]) -> None:
        self._mappings = mappings

    @property
    def by_name(self) -> Mapping[str, MappingFile]:
        return self._mappings()

    def list(self) -> list[dict[str, Any]]:
        """Every mapping: what it is for, and by which columns its files are told."""
        return [
            {
                "name": mapping.name,
                "title": mapping.title,
                "dataset": mapping.dataset,
                "source": mapping.source,
                "detect": list(mapping.detect),
                "fields": len(mapping.fields),
            }
            for mapping in self._mappings().values()
        ]

    def show(self, name: str) -> dict[str, Any]:
        """A mapping as its file spells it. Raises NotFoundError `unknown-mapping`."""
        return document_of(find_mapping(self._mappings(), name))


def document_of(mapping: MappingFile) -> dict[str, Any]:
    """A mapping without what its file leaves to the defaults."""
    return mapping.model_dump(mode="json", exclude_defaults=True)
