"""Policies in the settings file: read, set and removed with the user's comments kept."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from dataport.core.errors import ConfigError, NotFoundError, UsageError
from dataport.core.paths import Home
from dataport.core.settings import PolicyRule, load_settings
from dataport.engine.engine import Engine
from dataport.engine.homes import create_home
from dataport.engine.policies import find_policy, read_policies, remove_policy, set_policy
from tests.engine.merging.ledger import dataset, defined

THINGS = {"things": dataset()}
RULE = PolicyRule(dataset="things", source="crm", field="a", merge=("file",))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home.at(tmp_path / "home")
    create_home(home)
    return home


def spell(home: Home, text: str) -> None:
    home.config_file.write_text(text, encoding="utf-8")


def test_a_rule_is_kept_and_found_by_its_scope(home: Home) -> None:
    set_policy(home, THINGS, RULE)
    assert read_policies(home) == (RULE,)
    assert find_policy(home, "things", "crm", "a") == RULE
    assert find_policy(home, "things", None, "a") is None


def test_a_rule_with_the_same_scope_takes_the_place_of_the_first(home: Home) -> None:
    set_policy(home, THINGS, RULE)
    set_policy(home, THINGS, PolicyRule(source="crm", merge="store"))
    set_policy(home, THINGS, RULE.model_copy(update={"merge": "longest"}))
    assert [rule.chain for rule in read_policies(home)] == [("longest",), ("store",)]


def test_rules_that_are_set_at_once_are_all_kept(home: Home) -> None:
    rules = [RULE.model_copy(update={"source": f"source-{number}"}) for number in range(12)]
    with ThreadPoolExecutor(len(rules)) as pool:
        list(pool.map(lambda rule: set_policy(home, THINGS, rule), rules))
    assert {rule.source for rule in read_policies(home)} == {rule.source for rule in rules}


def test_comments_and_other_settings_stay(home: Home) -> None:
    text = (
        'region = "DE" # ours\n\n[[policies]] # since the fair\nsource = "fair"\nmerge = "store"\n'
    )
    spell(home, text)
    set_policy(home, THINGS, RULE)
    remove_policy(home, "things", "crm", "a")
    assert home.config_file.read_text(encoding="utf-8").rstrip() == text.rstrip()


def test_a_removed_rule_is_gone(home: Home) -> None:
    before = load_settings(home.config_file)
    set_policy(home, THINGS, RULE)
    remove_policy(home, "things", "crm", "a")
    assert load_settings(home.config_file) == before
    with pytest.raises(NotFoundError, match="no policy for things, crm, a"):
        remove_policy(home, "things", "crm", "a")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (PolicyRule(dataset="thing", merge="file"), "did you mean 'things'"),
        (PolicyRule(dataset="things", field="aa", merge="file"), "did you mean 'a'"),
        (PolicyRule(dataset="things", field="a", merge="filee"), "did you mean 'file'"),
        (PolicyRule(source="crm", merge="filee"), "did you mean 'file'"),
        (PolicyRule(dataset="things", field="a", merge="union"), "list fields only"),
        (PolicyRule(dataset="things", merge="newest(then)"), "no field is called 'then'"),
    ],
)
def test_a_rule_that_can_t_work_is_not_kept(home: Home, rule: PolicyRule, words: str) -> None:
    before = home.config_file.read_bytes()
    with pytest.raises(UsageError, match="can't be kept") as caught:
        set_policy(home, THINGS, rule)
    assert words in caught.value.detail
    assert home.config_file.read_bytes() == before


def test_a_field_of_a_group_has_no_policy_of_its_own(home: Home) -> None:
    grouped = defined(groups=(("a", "b"),))
    with pytest.raises(UsageError) as caught:
        set_policy(home, {"things": grouped}, RULE)
    assert "belongs to a+b" in caught.value.detail
    with pytest.raises(UsageError) as caught:
        set_policy(
            home, {"things": grouped}, PolicyRule(dataset="things", field="a+b", merge="longest")
        )
    assert "not several at once" in caught.value.detail
    set_policy(home, {"things": grouped}, PolicyRule(dataset="things", field="a+b", merge="file"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[[policies]]\nmerge = "file"', "'dataset', 'source' or both"),
        ('[[policies]]\nsource = "crm"\nfield = "a"\nmerge = "file"', "needs 'dataset' too"),
        ('[[policies]]\nsource = "crm"\nmerge = "file"\n' * 2, "two policies for crm"),
    ],
)
def test_a_rule_without_a_clear_scope_is_refused(home: Home, text: str, words: str) -> None:
    spell(home, text)
    with pytest.raises(ConfigError, match="polic") as caught:
        load_settings(home.config_file)
    assert words in str(caught.value)


def test_a_reload_refuses_a_rule_about_what_does_not_exist(home: Home) -> None:
    """The settings in force stay; the error names file, place and the nearest word."""
    engine = Engine.open(home, load_settings(home.config_file))
    try:
        spell(home, '[[policies]]\ndataset = "lead"\nmerge = "file"')
        with pytest.raises(ConfigError, match=r"policies\[0\]") as caught:
            engine.reload(load_settings(home.config_file))
        assert "did you mean 'leads'" in caught.value.detail
        assert engine.settings.policies == ()
    finally:
        engine.close()


def test_a_daemon_starts_without_the_rules_that_are_wrong(home: Home) -> None:
    good = '[[policies]]\ndataset = "leads"\nmerge = "file"\n'
    spell(home, good + '[[policies]]\ndataset = "lead"\nmerge = "file"')
    engine = Engine.open(home, load_settings(home.config_file))
    try:
        assert [rule.dataset for rule in engine.settings.policies] == ["leads"]
        assert "policies[1]" in str(engine.definition_error)
    finally:
        engine.close()
