"""Long lists in pages: a signed cursor holds the time and id of the last row that was given out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Model, Q, QuerySet

from emotrack.api.errors import Problem
from emotrack.api.fields import Fields, MomentField, TextField, WholeField

DEFAULT_PAGE, LARGEST_PAGE = 50, 500
_CURSOR = "emotrack.api.cursor"


class Paging(Fields):
    """What every list takes: ``after ≤ t < before``, a cursor and a page size."""

    cursor = TextField(required=False, max_length=400, help_text="From `next_cursor` of the page before.")
    page_size = WholeField(required=False, default=DEFAULT_PAGE, min_value=1, max_value=LARGEST_PAGE)
    after = MomentField(required=False, help_text="Rows at this time or later.")
    before = MomentField(required=False, help_text="Rows before this time.")


@dataclass(frozen=True, slots=True)
class Order:
    """By ``field``, then id; ``newest_first`` turns both around."""

    field: str
    newest_first: bool = False

    @property
    def columns(self) -> tuple[str, str]:
        sign = "-" if self.newest_first else ""
        return f"{sign}{self.field}", f"{sign}id"

    def beyond(self, at: datetime, pk: int) -> Q:
        compare = "lt" if self.newest_first else "gt"
        same = Q(**{self.field: at, f"id__{compare}": pk})
        return same | Q(**{f"{self.field}__{compare}": at})


@dataclass(frozen=True, slots=True)
class Page:
    rows: list[Any]
    next_cursor: str | None

    def answer(self, shape: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {"items": [shape(row) for row in self.rows], "next_cursor": self.next_cursor}


def page(rows: QuerySet, order: Order, asked: dict[str, Any]) -> Page:
    """One page of ``rows``. Raises ``Problem`` for a cursor that was not given out for such a list."""
    if "after" in asked:
        rows = rows.filter(**{f"{order.field}__gte": asked["after"]})
    if "before" in asked:
        rows = rows.filter(**{f"{order.field}__lt": asked["before"]})
    if "cursor" in asked:
        rows = rows.filter(order.beyond(*_opened(asked["cursor"], order)))
    size = asked["page_size"]
    found = list(rows.order_by(*order.columns)[: size + 1])
    more = len(found) > size
    return Page(found[:size], _cursor(found[size - 1], order) if more else None)


def _signer(order: Order) -> Signer:
    return Signer(salt=f"{_CURSOR}:{'.'.join(order.columns)}")


def _cursor(row: Model, order: Order) -> str:
    return _signer(order).sign_object([getattr(row, order.field).isoformat(), row.pk], compress=True)


def _opened(cursor: str, order: Order) -> tuple[datetime, int]:
    try:
        at, pk = _signer(order).unsign_object(cursor)
    except BadSignature as error:
        raise Problem(
            "invalid-cursor", status=400, errors=[("?cursor", "invalid-cursor", "Not ours.")]
        ) from error
    return datetime.fromisoformat(at), pk
