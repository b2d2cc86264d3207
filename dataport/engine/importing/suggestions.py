"""Which column could be which field, where names alone don't tell (MAP-01).

A column that is called like a field, folded or by an alias, is that field. Others are guessed: by
how like the names are, and by what the first rows' values look like. A guess is strong or weak; a
weak one is only applied when a person says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapidfuzz import fuzz

from dataport.core.errors import InputError
from dataport.engine.catalog.model import Dataset, Field, FieldType
from dataport.engine.staging.casts import FALSE, TRUE
from dataport.engine.staging.mapping import check_complete, find_field, fold
from dataport.engine.staging.samples import passes

STRONG = 0.8
"""Confidence from which a guess is applied without asking."""
WEAK = 0.5
"""Confidence below which there is no guess."""
SAMPLES = 3
SHORT = 4
"""Letters below which names are alike by chance."""

_PART_OF = 0.8
"""Likeness of names of which one has all the words of the other."""
_UNLIKE = 0.7
"""Likeness below which two names have nothing to do with each other."""
_NAME_ALONE = 0.95
"""What likeness counts where the values tell nothing."""
_VALUES_ALONE = 0.75
"""Confidence of values that could hardly be anything else, whatever the column is called."""
_PLAUSIBLE = 0.5
"""Share of values that must fit."""
_WORDS = re.compile(r"[^\W_]+")
_COMMON = (FieldType.INTEGER, FieldType.NUMBER, FieldType.BOOLEAN)
_DISTINCT = ("email", "phone")


@dataclass(frozen=True)
class Guess:
    """What one column probably is."""

    column: str
    field: str | None
    confidence: float
    """From 0 to 1; 1 where the column's name says it."""
    filled: float
    """Share of the rows looked at that have a value."""
    samples: tuple[str, ...]

    @property
    def is_strong(self) -> bool:
        return self.field is not None and self.confidence >= STRONG

    def document(self) -> dict[str, Any]:
        """The guess as every front end shows it."""
        return {
            "column": self.column,
            "field": self.field,
            "confidence": round(self.confidence, 2),
            "strong": self.is_strong,
            "filled": round(self.filled, 2),
            "samples": list(self.samples),
        }


@dataclass(frozen=True)
class Suggestion:
    """How the columns of a file could become the fields of a dataset."""

    dataset: Dataset
    guesses: tuple[Guess, ...]
    """One a column, in the file's order."""
    columns: tuple[str, ...]

    @classmethod
    def of(cls, columns: Sequence[str], fields: Mapping[str, str], dataset: Dataset) -> Suggestion:
        """What somebody said about the columns, field to column."""
        named = {column: name for name, column in fields.items()}
        guesses = [
            Guess(column, named.get(column), float(column in named), 0.0, ()) for column in columns
        ]
        return cls(dataset, tuple(guesses), tuple(columns))

    @property
    def is_certain(self) -> bool:
        """Whether strong guesses are enough for the file to be taken."""
        return self._lacks(guess for guess in self.guesses if guess.is_strong) is None

    @property
    def has_values_for_names(self) -> bool:
        """Whether the file has no header: its first row could be values of the fields found."""
        return any(
            _fits(self.dataset.field(guess.field), guess.column) is True
            for guess in self.guesses
            if guess.field is not None
        )

    @property
    def lacking(self) -> InputError | None:
        """What the file lacks even with all guesses, None where it can be taken with them."""
        return self._lacks(self.guesses)

    @property
    def doubtful(self) -> list[str]:
        """Fields that must be there and for which there is a weak guess at best."""
        strong = {guess.field for guess in self.guesses if guess.is_strong}
        return [name for name in _needed(self.dataset) if name not in strong]

    def fields(self, *, only_strong: bool = False) -> dict[str, str]:
        """Field to column."""
        return {
            guess.field: guess.column
            for guess in self.guesses
            if guess.field is not None and (guess.is_strong or not only_strong)
        }

    def _lacks(self, guesses: Iterable[Guess]) -> InputError | None:
        stated = frozenset(guess.field for guess in guesses if guess.field is not None)
        try:
            check_complete(self.columns, self.dataset, stated)
        except InputError as error:
            return error
        return None

    def document(self) -> dict[str, Any]:
        """The suggestion as every front end shows it."""
        lacking = self.lacking
        return {
            "dataset": self.dataset.name,
            "certain": self.is_certain,
            "doubtful": self.doubtful,
            "lacking": lacking.as_dict() if lacking else None,
            "items": [guess.document() for guess in self.guesses],
        }


def suggest(
    columns: Sequence[str], rows: Sequence[Sequence[str | None]], dataset: Dataset
) -> Suggestion:
    """What the columns of a file could be, from their names and first rows."""
    cells = [
        [cell.strip() for row in rows if (cell := row[at] or "").strip()]
        for at in range(len(columns))
    ]
    assigned = _assigned(columns, cells, dataset)
    guesses = []
    for at, column in enumerate(columns):
        name, confidence = assigned.get(at, (None, 0.0))
        filled = len(cells[at]) / len(rows) if rows else 0.0
        samples = tuple(dict.fromkeys(cells[at]))[:SAMPLES]
        guesses.append(Guess(column, name, confidence, filled, samples))
    return Suggestion(dataset, tuple(guesses), tuple(columns))


def _assigned(
    columns: Sequence[str], cells: Sequence[Sequence[str]], dataset: Dataset
) -> dict[int, tuple[str, float]]:
    """Position to field and confidence: the surest first, no column and no field twice."""
    found = sorted(_scores(columns, cells, dataset), key=lambda each: (-each[0], each[1], each[2]))
    assigned: dict[int, tuple[str, float]] = {}
    taken: set[str] = set()
    for confidence, at, name in found:
        if at not in assigned and name not in taken:
            assigned[at] = name, confidence
            taken.add(name)
    return assigned


def _scores(
    columns: Sequence[str], cells: Sequence[Sequence[str]], dataset: Dataset
) -> Iterator[tuple[float, int, str]]:
    """Confidence, position and field of everything that could be."""
    for at, column in enumerate(columns):
        named = find_field(column, dataset)
        if named is not None:
            yield 1.0, at, named
            continue
        for each in dataset.fields:
            confidence = _confidence(each, column, cells[at])
            if confidence >= WEAK:
                yield confidence, at, each.name


def _confidence(each: Field, column: str, cells: Sequence[str]) -> float:
    like = _likeness(each, column)
    verdicts = [verdict for cell in cells if (verdict := _fits(each, cell)) is not None]
    if not verdicts:
        return like * _NAME_ALONE
    share = sum(verdicts) / len(verdicts)
    if share < _PLAUSIBLE:
        return 0.0
    # A value is easily a number, and hardly ever an e-mail address by chance.
    weight = 0.3 if each.type in _COMMON else 0.5
    both = (1 - weight) * like + weight * share
    return max(both, _VALUES_ALONE * share) if each.format in _DISTINCT else both


def _likeness(each: Field, column: str) -> float:
    labels = [each.name, each.title or "", *each.aliases]
    likeness = max(_alike(column, label) for label in labels if label)
    return likeness if likeness >= _UNLIKE else 0.0


def _alike(left: str, right: str) -> float:
    folded = fold(left), fold(right)
    if min(map(len, folded)) < SHORT:
        return float(folded[0] == folded[1])
    whole = fuzz.ratio(*folded) / 100
    words = [
        frozenset(map(str.lower, _WORDS.findall(text.replace("_", " ")))) for text in (left, right)
    ]
    is_part = all(words) and (words[0] <= words[1] or words[1] <= words[0])
    return max(whole, _PART_OF if is_part else 0.0)


def _fits(each: Field, cell: str) -> bool | None:
    """Whether a value could be the field's; None where nothing can be told from it."""
    if each.constraints.enum is not None:
        return cell.lower() in each.constraints.enum
    if each.type is FieldType.BOOLEAN:
        return cell.lower() in (*TRUE, *FALSE)
    return passes(each, cell)


def _needed(dataset: Dataset) -> list[str]:
    """The fields without which no file is taken, whatever else it has."""
    required = [each.name for each in dataset.fields if each.constraints.required]
    ways = (dataset.primary_key, *dataset.match, *dataset.derive_key)
    only_way = ways[0] if len(set(ways)) == 1 else ()
    return list(dict.fromkeys([*required, *only_way]))
