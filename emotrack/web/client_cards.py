"""The cards below a client's curve: home base, what follows what, patterns, figures, and what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from analysis.changes import Segment, changes
from analysis.dynamics import MIN_COVERAGE
from analysis.home_base import BASE_VALUES
from analysis.reliable_change import unusual_day
from emotrack.history.models import Client, Recognizer
from emotrack.mood.home import Beginning, beginning_of, share_at_home
from emotrack.mood.movement import Resolution, Span, headline_movement, mood_rows
from emotrack.mood.queries import SessionPoint, standing
from emotrack.web import words
from emotrack.web.client_charts import Shift
from emotrack.web.dates import written
from emotrack.web.figures_card import figure_lines
from emotrack.web.home_base_chart import LAST_SESSIONS, Home, Place, home_base_figure, mean_place
from emotrack.web.pattern_card import pattern_card
from emotrack.web.timeline import signed
from emotrack.web.transition_table import heard_labels, transition_rows

MOST_TURNS, MOST_SESSIONS = 5_000, 200
"""How far back the cards look, so that a long history opens as fast as a short one."""

USUAL_SESSIONS = 200
SURE = 0.05


@dataclass(frozen=True, slots=True)
class Reach:
    """The sessions that the cards rest on. until: end of the time shown, ``None`` for now."""

    points: Sequence[SessionPoint]
    until: datetime | None = None

    @property
    def span(self) -> Span:
        return Span(self.points[0].started_at, self.until)

    @property
    def turns(self) -> int:
        return sum(point.utterances for point in self.points)

    @property
    def coverage(self) -> float | None:
        return sum(point.valid for point in self.points) / self.turns if self.turns else None

    @property
    def sufficient(self) -> bool:
        return (self.coverage or 0.0) >= MIN_COVERAGE


def reach_of(points: Sequence[SessionPoint], until: datetime | None = None) -> Reach:
    """The newest sessions of those shown, at most 200 and 5,000 turns, but at least one."""
    kept, turns = 0, 0
    for point in list(reversed(points))[:MOST_SESSIONS]:
        turns += point.utterances
        if kept and turns > MOST_TURNS:
            break
        kept += 1
    return Reach(points[len(points) - kept :], until)


def cards(
    client: Client,
    recognizer: Recognizer,
    points: Sequence[SessionPoint],
    span: Span,
    *,
    may_read: bool,
) -> dict:
    """What the templates of the cards need. points: sessions shown, oldest first. span: the time shown."""
    reach = reach_of(points, span.before)
    found = {"patterns": pattern_card(client, recognizer, may_read=may_read), "rests": rests_words(reach)}
    if not reach.turns:
        return found
    dimension, transitions = headline_movement(client, recognizer, reach.span)
    columns = heard_labels(transitions)
    return found | {
        "insufficient": "" if reach.sufficient else insufficient_words(reach),
        "home": _home(client, recognizer, reach),
        "columns": columns,
        "transition_rows": transition_rows(transitions, columns),
        "figure_lines": figure_lines(dimension),
    }


def rests_words(reach: Reach) -> str:
    """How much of the history the cards rest on, and how much of that could be read."""
    if not reach.points:
        return ""
    first = written(timezone.localtime(reach.points[0].started_at), "j M Y")
    sizes = {"turns": reach.turns, "sessions": len(reach.points), "first": first}
    said = _("From %(turns)d turns in %(sessions)d sessions since %(first)s.") % sizes
    return f"{said} {_('Coverage %(share)s.') % {'share': words.percent(reach.coverage)}}"


def insufficient_words(reach: Reach) -> str:
    shares = {"share": words.percent(reach.coverage), "needed": words.percent(MIN_COVERAGE)}
    return _("Insufficient data: %(share)s of turns gave a reading, %(needed)s are needed.") % shares


# --- Home base --------------------------------------------------------------------------------------------


def _home(client: Client, recognizer: Recognizer, reach: Reach) -> dict:
    rows = [
        row
        for row in mood_rows(client, recognizer, reach.span, Resolution.SESSION)
        if row["valence"] is not None and row["valid"] >= MIN_COVERAGE * row["utterances"]
    ]
    places = [_place(row) for row in rows]
    beginning = beginning_of(client, recognizer)
    home = home_of(beginning) if reach.sufficient else None
    axes = {"valence": _("← unpleasant · pleasant →"), "arousal": _("← calm · agitated →")}
    return {
        "figure": home_base_figure(places, home, axes),
        "rows": [(row["at"], place) for row, place in zip(reversed(rows), reversed(places), strict=True)],
        "words": home_words(beginning, _share_at_home(client, recognizer, reach, beginning), home, places),
        "center": home,
    }


def _place(row: dict) -> Place:
    day = written(timezone.localtime(row["at"]), "j M Y")
    sizes = {"valence": signed(row["valence"]), "arousal": signed(row["arousal"])}
    said = _("valence %(valence)s, calm ↔ agitated %(arousal)s") % sizes
    return Place(row["valence"], row["arousal"], f"{day}<br>{said}", row["session"])


def _share_at_home(
    client: Client, recognizer: Recognizer, reach: Reach, beginning: Beginning
) -> float | None:
    base = getattr(beginning, recognizer.headline)
    return share_at_home(client, recognizer, reach.span, base, recognizer.headline) if base else None


def home_of(beginning: Beginning) -> Home | None:
    """The bands of valence and arousal as one ellipse; ``None`` while they are forming."""
    valence, arousal = beginning.valence, beginning.arousal
    if valence is None or arousal is None:
        return None
    return Home((valence.center, arousal.center), (valence.radius, arousal.radius))


def home_words(beginning: Beginning, share: float | None, home: Home | None, places: Sequence[Place]) -> str:
    """What home rests on, how much of the time shown lay there, and where the last sessions lie.

    share: of the stretches shown at home, 0..1.
    """
    if beginning.since is None:
        sizes = {"n": beginning.n, "needed": BASE_VALUES, "left": BASE_VALUES - beginning.n}
        return (
            _("Home base still forming: %(n)d of %(needed)d stretches of five readings, %(left)d to go.")
            % sizes
        )
    days = [written(timezone.localtime(at), "j M Y") for at in (beginning.since, beginning.until)]
    said = _("Home is the band of the first 60 stretches of five readings, %(since)s to %(until)s.") % {
        "since": days[0],
        "until": days[1],
    }
    if share is not None:
        said += " " + _("Of the time shown %(share)s lay at home.") % {"share": words.percent(share)}
    if home is None or len(places) < LAST_SESSIONS:
        return said
    return f"{said} {last_words(home, mean_place(places[-LAST_SESSIONS:]))}"


def last_words(home: Home, place: tuple[float, float]) -> str:
    """Where the mean of the last three sessions lies. place: (valence, arousal)."""
    away = [p - c for p, c in zip(place, home.center, strict=True)]
    ratios = [abs(d) / r if r else float(bool(d)) * 2 for d, r in zip(away, home.radius, strict=True)]
    if sum(ratio**2 for ratio in ratios) <= 1:
        return _("The last three sessions lie within it.")
    sides = ((_("less pleasant"), _("more pleasant")), (_("calmer"), _("more agitated")))
    least = min(1.0, max(ratios))
    where = [names[d > 0] for names, d, ratio in zip(sides, away, ratios, strict=True) if ratio >= least]
    return _("The last three sessions lie outside it: %(where)s.") % {"where": _(" and ").join(where)}


# --- What has changed -------------------------------------------------------------------------------------


def shift_of(points: Sequence[SessionPoint]) -> Shift | None:
    """The latest change point of the session means, from 30 sessions on."""
    found = changes([p.mean if p.says_enough else float("nan") for p in points])
    if len(found.segments) < 2:
        return None
    before, after = found.segments[-2:]
    start, end = (timezone.localtime(points[row].started_at) for row in (after.start, after.stop - 1))
    label = _("may have changed around %(day)s") % {"day": written(start, "j M")}
    return Shift(start, end, after.mean, label, shift_words(before, after, start))


def shift_words(before: Segment, after: Segment, at: datetime) -> str:
    """Both the level and the spread, as a change may be of either."""
    sizes = {
        "day": written(at, "j M Y"),
        "mean": signed(before.mean),
        "later": signed(after.mean),
        "sd": f"{before.sd:.2f}",
        "later_sd": f"{after.sd:.2f}",
    }
    return (
        _(
            "May have changed around %(day)s: mean %(mean)s before, %(later)s since; "
            "spread %(sd)s and %(later_sd)s."
        )
        % sizes
    )


def last_session_words(points: Sequence[SessionPoint]) -> str:
    """Whether the last session differs from 8 or more earlier ones by more than days differ anyway.

    Sessions of a steady change are none of the usual ones. Where the client stands off their usual already, a
    single session that could be chance is no news, and saying so would take back what is said above.
    """
    if not points or not points[-1].says_enough:
        return ""
    stand = standing(points)
    recent = stand.sessions if stand.kind == "steady" else 1
    earlier = [p.mean for p in points if p.says_enough][:-recent][-USUAL_SESSIONS:]
    found = unusual_day(earlier, points[-1].mean)
    if found.p is None:
        return ""
    difference = signed(points[-1].mean - sum(earlier) / len(earlier))
    said = _("Taken alone, the last session lies %(difference)s off the mean of %(n)d earlier ones.") % {
        "n": found.n,
        "difference": difference,
    }
    if found.p < SURE:
        return f"{said} {_('More than chance alone would give.')}"
    return said if stand.side else f"{said} {_('Could be chance.')}"
