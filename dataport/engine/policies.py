"""Merge policies of a home: rules in its settings file that stand above the definitions.

One rule is for a field of one source, for a field, for a source, or for a dataset (merge.md 5.6);
how they rank is told in `catalog.policies`. They are kept in `config/dataport.toml`:

    [[policies]]
    dataset = "leads"
    source = "crm"
    field = "phone"
    merge = ["file"]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dataport.core.errors import ConfigError, NotFoundError, UsageError
from dataport.core.paths import Home
from dataport.core.settings import PolicyRule, load_settings
from dataport.core.words import Take
from dataport.engine.catalog.model import Dataset
from dataport.engine.catalog.policies import check_rule
from dataport.engine.export_sources import EXPORT, is_export
from dataport.engine.settings_file import as_table, editing, read_document

SIDES = {Take.OURS: "store", Take.THEIRS: "file"}
"""The policy that always takes a side of a conflict."""


def standing_rule(
    take: Take | None, dataset: str | None, source: str | None, field: str | None
) -> PolicyRule:
    """The rule that settles every later conflict about a field of a source as this one was.

    Raises UsageError for a decision that is no rule.
    """
    if take not in SIDES:
        raise UsageError(
            "no-standing-side",
            "Only a side can be taken always.",
            "A value, and what was sent last, are for the conflict at hand.",
            "Take ours or theirs, or name another policy: dataport policies set.",
        )
    if not (dataset and source and field):
        raise UsageError(
            "no-standing-scope",
            "What is always taken is for one field of one source.",
            hint="Name --dataset, --field and --source; policies of a wider scope are set with:"
            " dataport policies set.",
        )
    if source == EXPORT or is_export(source):
        raise UsageError(
            "no-standing-export",
            "What comes back from an export can't be decided always.",
            "Each export is compared with what it said itself: the next one is another source, with"
            " edits of its own.",
            "Leave --always out.",
        )
    return PolicyRule(dataset=dataset, source=source, field=field, merge=SIDES[take])


def read_policies(home: Home) -> tuple[PolicyRule, ...]:
    """The rules of `home` as its settings file spells them. Raises ConfigError."""
    return load_settings(home.config_file).policies


def find_policy(
    home: Home, dataset: str | None, source: str | None, field: str | None
) -> PolicyRule | None:
    """The rule with exactly this scope, None where there is none."""
    scope = (dataset, source, field)
    return next((rule for rule in read_policies(home) if rule.scope == scope), None)


def set_policy(home: Home, datasets: Mapping[str, Dataset], rule: PolicyRule) -> None:
    """Write a rule to the settings of `home`, instead of the one with its scope if there is one.

    Raises UsageError for a rule about what does not exist or by a policy that can't settle it,
    ConfigError when the settings file is broken already.
    """
    check_policy(home, datasets, rule)
    with editing(home, "policies") as rules:
        for item in rules:
            if _scope(item) == rule.scope:
                item["merge"] = list(rule.chain)
                return
        rules.append(as_table(rule.model_copy(update={"merge": rule.chain})))


def check_policy(home: Home, datasets: Mapping[str, Dataset], rule: PolicyRule) -> None:
    """Raise what `set_policy` would raise."""
    try:
        check_rule(rule, datasets)
    except ValueError as error:
        raise UsageError("wrong-policy", "The policy can't be kept.", f"{error}.") from error
    read_document(home)


def remove_policy(home: Home, dataset: str | None, source: str | None, field: str | None) -> None:
    """Take the rule with exactly this scope out of the settings. Raises NotFoundError."""
    with editing(home, "policies") as rules:
        for position, item in enumerate(rules):
            if _scope(item) == (dataset, source, field):
                del rules[position]
                return
        words = ", ".join(word for word in (dataset, source, field) if word) or "everything"
        raise NotFoundError("unknown-policy", f"The settings have no policy for {words}.")


def policy_document(rule: PolicyRule) -> dict[str, Any]:
    """A rule as the API shows it: its scope, and its policies in order."""
    return {
        "dataset": rule.dataset,
        "source": rule.source,
        "field": rule.field,
        "merge": list(rule.chain),
    }


def standing_notice(rule: PolicyRule) -> str:
    """The sentence about a rule that stays in force though what it decided was taken back."""
    scope = (("dataset", rule.dataset), ("source", rule.source), ("field", rule.field))
    words = " ".join(f"--{name} {value}" for name, value in scope if value)
    return (
        f"The policy {', '.join(rule.chain)} for {rule.field} from {rule.source} stays: it settles"
        f" what comes next. To ask again: dataport policies remove {words}."
    )


def check_policies(
    home: Home, rules: Sequence[PolicyRule], datasets: Mapping[str, Dataset]
) -> None:
    """Raise ConfigError for the first rule that names what does not exist."""
    for index, rule in enumerate(rules):
        try:
            check_rule(rule, datasets)
        except ValueError as error:
            raise ConfigError(
                "wrong-value",
                f"{home.config_file}: 'policies[{index}]' has a wrong value.",
                f"{error}.",
            ) from error


def usable_policies(
    rules: Sequence[PolicyRule], datasets: Mapping[str, Dataset]
) -> tuple[PolicyRule, ...]:
    """The rules that nothing is wrong with: without the others, conflicts are asked about."""
    return tuple(rule for rule in rules if _is_usable(rule, datasets))


def _is_usable(rule: PolicyRule, datasets: Mapping[str, Dataset]) -> bool:
    try:
        check_rule(rule, datasets)
    except ValueError:
        return False
    return True


def _scope(item: Mapping[str, object]) -> tuple[object, object, object]:
    return item.get("dataset"), item.get("source"), item.get("field")
