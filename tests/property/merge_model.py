"""Merging as merge.md section 5 tells it, in plain Python and without any cleverness."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

Value = str | None
Row = dict[str, Value]
FIELDS = ("a", "b")


@dataclass
class Item:
    """One open conflict. `name` is None for a whole row."""

    base: Any
    theirs: Any


def decide(policy: str, ours: Value, theirs: Value) -> tuple[bool, Value]:
    """Whether a policy settles a value that both sides changed differently, and to what."""
    known = [value for value in (ours, theirs) if value is not None]
    if policy == "ask" or (policy == "fill" and len(known) == 2):
        return False, ours
    settled = {
        "store": ours,
        "file": theirs,
        "fill": known[0],
        "max": max(known),
        "min": min(known),
        "longest": max(known, key=lambda value: (len(value.strip()), value)),
    }
    return True, settled[policy]


POLICIES = ("ask", "store", "file", "max", "min", "longest", "fill")


def merge_cell(policy: str, base: Value, ours: Value, theirs: Value) -> tuple[Value, bool]:
    """What a cell becomes, and whether it is asked about: rules F1 to F7 of merge.md 5.4."""
    if theirs in (ours, base):
        return ours, False
    if ours == base:
        return theirs, False
    is_settled, value = decide(policy, ours, theirs)
    return value, not is_settled


@dataclass
class Model:
    """Store, bases and queue of one dataset, with one policy everywhere."""

    policy: str = "ask"
    store: dict[str, Row] = field(default_factory=dict)
    bases: dict[str, dict[str, Row]] = field(default_factory=dict)
    queue: dict[tuple[str, str, str | None], Item] = field(default_factory=dict)

    def send(
        self,
        source: str,
        rows: Mapping[str, Row],
        *,
        is_mirror: bool,
        spared: Collection[str] = (),
    ) -> None:
        """A file of `source` that states every field; rows in it with a key in `spared` are
        damaged."""
        bases = self.bases.setdefault(source, {})
        for key, theirs in rows.items():
            self._row(source, key, theirs, bases.get(key))
        for key, theirs in rows.items():
            bases[key] = dict(theirs)
        if is_mirror:
            for key in [key for key in bases if key not in rows and key not in spared]:
                self._absent(source, key, bases.pop(key))
        self._converge()

    def send_by_rule(self, source: str, rows: Mapping[str, Row], how: str) -> None:
        """A file whose differences are settled by rule: skip, overwrite or fill."""
        bases = self.bases.setdefault(source, {})
        for key, theirs in rows.items():
            ours, base = self.store.get(key), bases.get(key)
            row_item = self.queue.get((source, key, None))
            if row_item is not None and row_item.theirs is None and how != "skip":
                del self.queue[source, key, None]
            if ours is None and base is None:
                self.store[key] = dict(theirs)
            elif ours is None and how != "skip":
                self._deleted_here(source, key, theirs, base or {})
            elif ours is not None:
                for name in FIELDS:
                    ours[name] = self._ruled(how, source, key, name, theirs[name], base)
        for key, theirs in rows.items():
            bases[key] = dict(theirs)
        self._converge()

    def _ruled(
        self, how: str, source: str, key: str, name: str, theirs: Value, base: Row | None
    ) -> Value:
        ours = self.store[key][name]
        item = self.queue.get((source, key, name))
        sent = item.base if item is not None else (base or {}).get(name)
        takes = {
            "skip": False,
            "overwrite": theirs is not None or sent is not None,
            "fill": ours is None,
        }
        value = theirs if takes[how] else ours
        if item is not None and value == theirs:
            del self.queue[source, key, name]
        return value

    def _row(self, source: str, key: str, theirs: Row, base: Row | None) -> None:
        ours = self.store.get(key)
        row_item = self.queue.get((source, key, None))
        if row_item is not None and row_item.theirs is None:
            del self.queue[source, key, None]
        if ours is None and base is None:
            self.store[key] = dict(theirs)
        elif ours is None:
            self._deleted_here(source, key, theirs, base or {})
        elif theirs != base or base is None:
            for name in FIELDS:
                self._field(source, key, name, theirs[name], (base or {}).get(name))

    def _deleted_here(self, source: str, key: str, theirs: Row, base: Row) -> None:
        if theirs == base:
            return
        item = self.queue.get((source, key, None))
        if item is None:
            self.queue[source, key, None] = Item(dict(base), dict(theirs))
        elif item.base == theirs:
            del self.queue[source, key, None]
        else:
            item.theirs = dict(theirs)

    def _field(self, source: str, key: str, name: str, theirs: Value, base: Value) -> None:
        item = self.queue.get((source, key, name))
        if item is not None:
            base = item.base
        value, is_asked = merge_cell(self.policy, base, self.store[key][name], theirs)
        if is_asked:
            if item is None:
                self.queue[source, key, name] = Item(base, theirs)
            else:
                item.theirs = theirs
            return
        if item is not None:
            del self.queue[source, key, name]
        self.store[key][name] = value

    def _absent(self, source: str, key: str, base: Row) -> None:
        ours = self.store.get(key)
        # Whatever it said of the row's values, it says no more.
        for name in FIELDS:
            self.queue.pop((source, key, name), None)
        item = self.queue.pop((source, key, None), None)
        if ours is None or any(key in rows for name, rows in self.bases.items() if name != source):
            return
        if ours == base:
            del self.store[key]
        else:
            self.queue[source, key, None] = Item(item.base if item else dict(base), None)

    def edit(self, key: str, name: str, value: Value) -> None:
        """A person sets one field."""
        self.store[key][name] = value
        self._converge()

    def delete(self, key: str) -> None:
        """A person deletes a row."""
        del self.store[key]
        self._converge()

    def resolve(self, source: str, *, is_theirs: bool) -> None:
        """A person takes one side of everything that a source has in the queue."""
        chosen = [place for place in self.queue if place[0] == source]
        items = [(place, self.queue.pop(place)) for place in chosen]
        if is_theirs:
            for (_, key, name), item in items:
                self._take(key, name, item)
        self._converge()

    def _take(self, key: str, name: str | None, item: Item) -> None:
        if name is not None:
            if key in self.store:
                self.store[key][name] = item.theirs
        elif item.theirs is None:
            self.store.pop(key, None)
        else:
            self.store[key] = dict(item.theirs)

    def _converge(self) -> None:
        """Nothing is left to ask where both sides say the same, or of the values of a row that
        is gone."""
        for (source, key, name), item in list(self.queue.items()):
            row = self.store.get(key)
            ours = row if row is None or name is None else row[name]
            if ours == item.theirs or (row is None and name is not None):
                del self.queue[source, key, name]

    def settled(self) -> tuple[dict[str, Row], set[tuple[Any, ...]]]:
        """Store and queue as they can be compared with the engine's."""
        return (
            {
                key: {name: value for name, value in row.items() if value is not None}
                for key, row in self.store.items()
            },
            {(source, key, name) for source, key, name in self.queue},
        )


def as_rows(rows: Mapping[str, Row]) -> list[dict[str, Value]]:
    """The file's rows as the ledger takes them."""
    return [{"id": key, **row} for key, row in rows.items()]
