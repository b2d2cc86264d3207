"""Filters that people write: one SQL boolean expression over a dataset's fields.

The text is parsed by the engine's own parser and the tree is checked before anything runs:
`grammar` refuses what is not on its list (no subquery, no other table, no function that reaches
a file, a setting or the network), `bounds` what could take without end, `types` what compares
a field with something it can't hold. The checked tree itself is turned back into SQL; the text
is never pasted in. docs/expressions.md is the same for people.
"""

from dataport.engine.expressions.check import check_expression, filtering

__all__ = ["check_expression", "filtering"]
