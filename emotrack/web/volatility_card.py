"""How changeable the sessions of a client were at their height, held against the person's own usual."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.baseline import ARM_SESSIONS, usual
from emotrack.history.models import Client, Session
from emotrack.mood.queries import SessionPoint
from emotrack.web.client_charts import MARGIN
from emotrack.web.dates import written
from emotrack.web.lane_words import volatility_lines
from emotrack.web.timeline import signed
from emotrack.web.volatility_chart import Height, volatility_figure


@dataclass(frozen=True, slots=True)
class VolatilityCard:
    """figure: ``None`` where no session has a height, and then words says why.

    rows: newest first, each with its day and whether it lies beyond the line.
    """

    words: str
    figure: dict | None = None
    rows: Sequence[tuple[SessionPoint, str, bool]] = ()


def volatility_card(
    client: Client, everything: Sequence[SessionPoint], points: Sequence[SessionPoint]
) -> VolatilityCard:
    """everything: all sessions of the series, oldest first. points: those that are shown."""
    shown = [p for p in points if p.peak_z is not None]
    if not shown:
        return VolatilityCard(_("Insufficient data: it takes 50 earlier readings to know the own usual."))
    earlier = [p.peak_z for p in everything if p.peak_z is not None and p.session != everything[-1].session]
    band = usual(earlier).band() if len(earlier) >= ARM_SESSIONS else None
    terms = volatility_lines(Session.objects.filter(client=client).latest("started_at"))
    line = terms.threshold if terms else None
    heights = [_height(p) for p in shown]
    ends = [timezone.localtime(at) for at in (points[0].started_at - MARGIN, points[-1].started_at + MARGIN)]
    figure = volatility_figure(
        heights,
        band,
        line,
        _("alert above %(x)s") % {"x": f"{line:g}"} if line is not None else "",
        [at.replace(tzinfo=None).isoformat(timespec="seconds") for at in ends],
    )
    beyond = [
        (p, written(h.at, "j M Y"), line is not None and p.peak_z > line)
        for p, h in zip(reversed(shown), reversed(heights), strict=True)
    ]
    return VolatilityCard(_said(shown[-1], band, line, everything[-1]), figure, beyond)


def _height(point: SessionPoint) -> Height:
    at = timezone.localtime(point.started_at)
    said = _("at its height %(z)s own spreads") % {"z": _one(point.peak_z)}
    return Height(at, point.peak_z, f"{written(at, 'j M Y')}<br>{said}", point.session)


def _one(z: float) -> str:
    return f"{z:+.1f}".replace("-", "−")


def _said(
    last: SessionPoint, band: tuple[float, float] | None, line: float | None, newest: SessionPoint
) -> str:
    when = _("The last session") if last.session == newest.session else _("The last session shown")
    said = _("%(when)s was %(z)s own spreads from its usual movement at its height.") % {
        "when": when,
        "z": _one(last.peak_z),
    }
    return f"{said} {_against(last.peak_z, band, line)}"


def _against(z: float, band: tuple[float, float] | None, line: float | None) -> str:
    if line is not None and z > line:
        return _("That is beyond the line at which the rule alerts when it lasts.")
    if band is None:
        return _("Too few sessions for a usual range of heights.")
    ends = {"low": signed(band[0]), "high": signed(band[1])}
    if band[0] <= z <= band[1]:
        return _("Usual for this person: %(low)s to %(high)s.") % ends
    if z > band[1]:
        return _("More than is usual for this person: %(low)s to %(high)s.") % ends
    return _("Less than is usual for this person: %(low)s to %(high)s.") % ends
