"""Our side of the three-way merge: the store's rows changed here, by the commands a person has."""

from __future__ import annotations

from benchmarks.accounts import DATASET, OUR_TIME, OUR_VALUES, Accounts
from benchmarks.harness import command
from dataport.client.api import Client


def change_store(client: Client, accounts: Accounts) -> None:
    """Turn the accounts of `accounts.first` into those of `accounts.ours`."""
    home, time = client.home, ("--set", f"updated_at={OUR_TIME}")
    for field, keys in accounts.edited.items():
        value = ("--set", f"{field}={OUR_VALUES[field]}")
        command(home, "bulk", "update", DATASET, "--keys", str(keys), *value, *time)
    command(home, "bulk", "delete", DATASET, "--keys", str(accounts.removed))
    added = str(accounts.added)
    command(home, "import", added, "--dataset", DATASET, "--source", "desk")
