"""Three-way merging, field by field, with memory per source (merge.md).

`inputs` names the three sides, `fields` decides one field, `plan` decides every row without
touching the store, `preview` shows a plan, `queue` keeps the conflicts, `apply` writes.
"""
