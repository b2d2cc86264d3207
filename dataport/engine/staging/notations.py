"""How a column writes its numbers and days, where it does not write them as we do."""

from __future__ import annotations

from dataclasses import dataclass

from dataport.engine.catalog.model import Field, FieldType

NUMBERS = (FieldType.INTEGER, FieldType.NUMBER)
MOMENTS = (FieldType.DATE, FieldType.DATETIME, FieldType.TIME)
UNDECIDED = r"[+-]?[1-9][0-9]{0,2},[0-9]{3}"
"""Could be thousands, or have three decimals."""


@dataclass(frozen=True)
class Notation:
    """How one column writes its values."""

    order: str | None = None
    """`dmy` or `mdy`; None where it is open, or no value has two orders."""
    decimal: str | None = None
    """`.` or `,`, with the other one between thousands; None for plain numbers only."""
    question: str = ""
    """What to ask about the values that can be read in two ways."""
    is_stated: bool = False
    """Whether somebody said it, rather than the column."""

    def told(self, field: Field) -> str:
        """A sentence about what was decided; empty where nothing was."""
        if self.is_stated:
            return ""
        if self.decimal == ",":
            return f"{field.name} is read with a decimal comma, as in 1.234,5."
        if self.decimal:
            return f"{field.name} is read with commas between thousands, as in 1,234.5."
        if self.order:
            first = "day before the month" if self.order == "dmy" else "month before the day"
            return f"{field.name} is read with the {first}."
        return ""


def stated_notation(field: Field, date_order: str | None) -> Notation | None:
    """What the definition, or the import, says of a column without looking at it."""
    if field.type in MOMENTS and (field.date_order or date_order):
        return Notation(order=field.date_order or date_order, is_stated=True)
    if field.type in NUMBERS and field.decimal_char:
        return Notation(decimal=field.decimal_char, is_stated=True)
    return None
