"""Merge policies of the home, kept in config/dataport.toml with its comments (merge.md 5.6)."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from dataport.core.settings import PolicyRule
from dataport.daemon.answers import answer
from dataport.daemon.context import ServicesDep
from dataport.engine.policies import policy_document, remove_policy, set_policy

router = APIRouter(prefix="/v1/policies", tags=["policies"])


@router.get("", summary="Merge policies")
def list_policies(services: ServicesDep) -> Response:
    """The rules that stand above the definitions of datasets."""
    rules = services.configuration.settings.policies
    return answer({"items": [policy_document(rule) for rule in rules]})


@router.put("", summary="Set a merge policy")
def put_policy(rule: PolicyRule, services: ServicesDep) -> Response:
    """Instead of the one with the same scope, if there is one; in force at once."""
    set_policy(services.home, services.engine.datasets, rule)
    services.configuration.reload()
    return answer(policy_document(rule))


@router.delete("", summary="Remove a merge policy")
def delete_policy(
    services: ServicesDep,
    dataset: str | None = None,
    source: str | None = None,
    field: str | None = None,
) -> Response:
    """The one with exactly this scope; the definitions decide again."""
    remove_policy(services.home, dataset, source, field)
    services.configuration.reload()
    return answer({"dataset": dataset, "source": source, "field": field})
