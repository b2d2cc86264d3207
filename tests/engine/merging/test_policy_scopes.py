"""Which policy holds: source and field, field, source, dataset (merge.md 5.6)."""

from __future__ import annotations

from typing import Any

import pytest

from dataport.core.settings import PolicyRule
from dataport.core.words import OnMatch, Take
from dataport.engine.store import Store
from tests.engine.merging.ledger import Ledger, dataset, defined

SCOPES: dict[str, dict[str, str]] = {
    "source and field": {"dataset": "things", "source": "crm", "field": "a"},
    "field": {"dataset": "things", "field": "a"},
    "source in a dataset": {"dataset": "things", "source": "crm"},
    "source": {"source": "crm"},
    "dataset": {"dataset": "things"},
}
"""From the strongest to the weakest."""


def rule(scope: str, *merge: str) -> PolicyRule:
    return PolicyRule.model_validate(SCOPES[scope] | {"merge": merge})


def contested(ledger: Ledger, **options: Any) -> str:
    """What becomes of `a` when both sides changed it: who stands, or `asked`."""
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    plan = ledger.send([{"id": "1", "a": "theirs"}], **options)
    return "asked" if plan.conflicts else str(ledger.rows()["1"]["a"])


@pytest.mark.parametrize("scope", SCOPES)
def test_a_rule_of_every_scope_settles_what_it_is_about(ledger: Ledger, scope: str) -> None:
    ledger.rules = (rule(scope, "file"),)
    assert contested(ledger) == "theirs"


@pytest.mark.parametrize("stronger", range(len(SCOPES) - 1))
def test_the_stronger_scope_stands_above_all_weaker_ones(ledger: Ledger, stronger: int) -> None:
    names = list(SCOPES)
    weaker = tuple(rule(name, "file") for name in names[stronger + 1 :])
    ledger.rules = (*weaker, rule(names[stronger], "store"))
    assert contested(ledger) == "mine"


def test_the_scope_that_has_a_policy_decides_alone(ledger: Ledger) -> None:
    """A chain that comes to no decision asks: it does not go on to a weaker scope."""
    ledger.rules = (rule("field", "fill"), rule("dataset", "file"))
    assert contested(ledger) == "asked"


@pytest.mark.parametrize(("scope", "stands"), [("field", "mine"), ("source", "theirs")])
def test_a_field_s_rule_stands_above_its_definition_and_a_source_s_below(
    store: Store, scope: str, stands: str
) -> None:
    ledger = Ledger(store, dataset(a="file"))
    ledger.rules = (rule(scope, "store"),)
    assert contested(ledger) == stands


@pytest.mark.parametrize(("rules", "stands"), [((), "theirs"), (("dataset",), "mine")])
def test_a_dataset_may_define_a_policy_for_all_its_fields(
    store: Store, rules: tuple[str, ...], stands: str
) -> None:
    ledger = Ledger(store, defined(merge=("file",)))
    ledger.rules = tuple(rule(name, "store") for name in rules)
    assert contested(ledger) == stands


def test_rules_of_other_sources_fields_and_datasets_mean_nothing(ledger: Ledger) -> None:
    ledger.rules = (
        PolicyRule(source="fair", merge="file"),
        PolicyRule(dataset="things", source="fair", field="a", merge="file"),
        PolicyRule(dataset="things", field="b", merge="file"),
        PolicyRule(dataset="others", merge="file"),
    )
    assert contested(ledger) == "asked"


def test_asking_for_everything_passes_over_every_policy(ledger: Ledger) -> None:
    """X-09: on match `ask`."""
    ledger.rules = (rule("source and field", "file"),)
    assert contested(ledger, on_match=OnMatch.ASK) == "asked"


def test_of_a_wide_policy_each_field_takes_what_fits_it(store: Store) -> None:
    """`union` is for lists, `add_delta` for numbers; text goes on to the next link."""
    ledger = Ledger(store, dataset())
    ledger.rules = (rule("dataset", "union", "add_delta", "longest"),)
    ledger.send([{"id": "1", "a": "x", "n": 1, "tags": ["p"]}])
    ledger.edit("1", a="mine", n=3, tags=["p", "q"])
    ledger.send([{"id": "1", "a": "longer", "n": 5, "tags": ["p", "r"]}])
    assert ledger.rows()["1"] == {"a": "longer", "n": 7, "tags": ["p", "q", "r"]}


def test_where_nothing_of_a_scope_fits_the_next_one_holds(ledger: Ledger) -> None:
    ledger.rules = (rule("source", "union"), rule("dataset", "file"))
    assert contested(ledger) == "theirs"


def test_lists_grow_together_unless_told_otherwise(ledger: Ledger) -> None:
    """merge.md 5.6: the three-way union is the default of lists."""
    ledger.send([{"id": "1", "tags": ["p", "q"]}])
    ledger.edit("1", tags=["q", "mine"])
    assert ledger.send([{"id": "1", "tags": ["p", "theirs"]}]).conflicts == 0
    assert ledger.rows()["1"] == {"tags": ["mine", "theirs"]}


def test_a_decision_about_one_conflict_stands_above_every_rule(ledger: Ledger) -> None:
    ledger.send([{"id": "1", "a": "x"}])
    ledger.edit("1", a="mine")
    ledger.send([{"id": "1", "a": "theirs"}])
    ledger.rules = (rule("source and field", "file"),)
    ledger.resolve(Take.OURS)
    ledger.send([{"id": "1", "a": "theirs"}])
    assert ledger.rows()["1"] == {"a": "mine"}


def test_no_policy_about_files_lets_an_undo_overwrite_an_edit(ledger: Ledger) -> None:
    ledger.rules = (rule("source and field", "file"), rule("dataset", "file"))
    ledger.send([{"id": "1", "a": "x"}])
    ledger.send([{"id": "1", "a": "y"}])
    ledger.edit("1", a="mine")
    ledger.undo(2)
    assert (ledger.rows()["1"]["a"], len(ledger.conflicts())) == ("mine", 1)
