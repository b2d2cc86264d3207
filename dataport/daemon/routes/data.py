"""Datasets, their rows and single records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict
from starlette.responses import Response

from dataport.daemon.answers import answer
from dataport.daemon.context import MOST, OriginDep, ServicesDep
from dataport.engine.engine import check_definition
from dataport.engine.requests import Message

router = APIRouter(prefix="/v1", tags=["data"])


class EditBody(BaseModel):
    """New values of a record's fields; null clears one."""

    model_config = ConfigDict(extra="forbid")

    set: dict[str, Any]
    message: Message = ""


class DefinitionBody(BaseModel):
    """A definition file on this machine."""

    model_config = ConfigDict(extra="forbid")

    path: str


@router.get("/datasets", summary="Datasets")
def list_datasets(services: ServicesDep) -> Response:
    """Every dataset with its number of rows."""
    return answer({"items": services.engine.list_datasets()})


@router.post("/datasets/check", summary="Check a definition file")
def check_dataset(body: DefinitionBody) -> Response:
    """Whether the file defines a dataset; if not, what is wrong in it."""
    dataset = check_definition(Path(body.path))
    return answer({"ok": True, "name": dataset.name, "fields": len(dataset.fields)})


@router.get("/datasets/{name}", summary="One dataset's definition")
def show_dataset(name: str, services: ServicesDep) -> Response:
    """The definition as its file spells it."""
    return answer(services.engine.show_dataset(name))


@router.get("/datasets/{name}/template", summary="A file of a dataset to fill in")
def show_template(
    name: str,
    services: ServicesDep,
    kind: Annotated[Literal["csv", "json", "xlsx"], Query(alias="format")] = "csv",
) -> Response:
    """Its text with one example row, a page in Markdown that describes the columns, and these.

    A workbook, which has a sheet that describes them, is `content`, in Base64.
    """
    return answer(services.engine.template(name, kind))


@router.get("/datasets/{name}/rows", summary="Rows of a dataset")
def list_rows(
    name: str,
    services: ServicesDep,
    where: str | None = None,
    fields: str | None = None,
    sort: str | None = None,
    limit: Annotated[int | None, Query(ge=0, le=MOST)] = None,
    offset: Annotated[int, Query(ge=0, le=MOST)] = 0,
    as_of: str | None = None,
) -> Response:
    """`fields` and `sort` are lists with commas; `-` before a sort field means descending."""
    selection = services.engine.selection(
        name,
        where=where,
        fields=_names(fields),
        sort=_names(sort),
        limit=limit,
        offset=offset,
        as_of=as_of,
    )
    text = services.engine.rows(selection)
    return Response(f'{{"success":true,"data":{text}}}'.encode(), media_type="application/json")


@router.patch("/records/{dataset}/{key:path}", summary="Edit one record")
def edit_record(
    dataset: str, key: str, body: EditBody, services: ServicesDep, origin: OriginDep
) -> Response:
    """Set fields of a record, as a commit by the user."""
    author = services.engine.author(origin)
    result = services.engine.edit(dataset, key, body.set, author, body.message)
    services.committed(result["commit"])
    return answer(result)


@router.get("/records/{dataset}/{key:path}/history", summary="Versions of one record")
def record_history(dataset: str, key: str, services: ServicesDep) -> Response:
    """Newest first."""
    return answer({"items": services.engine.timeline.record_history(dataset, key)})


@router.get("/records/{dataset}/{key:path}/blame", summary="Who last set each value of a record")
def blame_record(dataset: str, key: str, services: ServicesDep) -> Response:
    """One item a field: the commit that set its value, and the file and line it came from."""
    return answer({"items": services.engine.timeline.blame(dataset, key)})


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (text or "").split(",") if name.strip())
