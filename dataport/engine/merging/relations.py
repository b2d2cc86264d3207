"""Names of the relations through which planning sees the store; `snapshot` makes them."""

from __future__ import annotations

BASE = "plan_base"
"""What the source sent last: `_key`, every field, `_is_row`, and `_here`, which is true."""

OURS = "plan_ours"
"""The store's rows, and `_here`."""

NO_OURS = "plan_no_ours"
"""None of them, where they need not be looked up."""

OPEN = "plan_open"
"""This source's open conflicts, and their key as `_key`."""

ANSWERED = "plan_answered"
"""The newest conflict about contradicting rows for each key, where it is open or decided."""

ASSERTED = "plan_asserted"
"""The `_key`s that other sources still send."""

RANKED = "plan_ranked"
"""What ranked sources sent last: `_key`, every field, `_rank`, and the fields `_said` at all."""

DROPPED_BEFORE = "plan_dropped_before"
"""The `_key`s that the source once sent and then dropped."""
