"""Values that Dataport makes of others: what a definition says about them (design section 6)."""

from __future__ import annotations

from pydantic import Field as Key

from dataport.core.toml_model import TomlModel


class Part(TomlModel):
    """A piece of a key field's text, as the area code of a number (V-38).

    Keys never change, so that their pieces are always those of the row.
    """

    of: str = Key(description="Field of the primary key.")
    start: int = Key(1, ge=1, description="First character, from 1.")
    length: int = Key(ge=1, description="Number of characters.")


class Count(TomlModel):
    """How many rows of another dataset hold this row's key, counted whenever it is read (REC-04)."""

    resource: str = Key(description="Dataset whose rows are counted.")
    fields: tuple[str, ...] = Key(
        min_length=1, description="Its fields that hold this dataset's primary key, in that order."
    )


class Span(TomlModel):
    """A start, an end and the hours between them; one of the latter two is made where it is missing.

    Where a row states all three, they have to agree (V-03).
    """

    start: str = Key(description="Field of the instant when it begins.")
    end: str = Key(description="Field of the instant when it ends.")
    hours: str = Key(description="Field with the number of hours between them.")
    tolerance: float = Key(
        0.01, ge=0, description="Hours by which the three may disagree, as rounded figures do."
    )

    @property
    def names(self) -> tuple[str, str, str]:
        """Its fields, in order of time."""
        return self.start, self.end, self.hours
