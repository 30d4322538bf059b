"""What the page of one alert shows: why it fired, the turns behind it, its terms and its story."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from analysis.baseline import Usual
from emotrack.accounts.models import User
from emotrack.alerts.models import Alert
from emotrack.alerts.rules.kinds import ALREADY_PERSONAL, KINDS, Runs
from emotrack.alerts.series.behind import Value, series_behind
from emotrack.alerts.tuning.standing import rule_standing
from emotrack.history.models import Session
from emotrack.web import session_page, words
from emotrack.web.alert_chart import CALENDAR, SESSION_CLOCK, Axis, Moments, Watched, alert_figure
from emotrack.web.alert_list import lines_of
from emotrack.web.alert_story import story_of
from emotrack.web.rule_standing import verdict_sentence
from emotrack.web.terms import in_words, measure_name, number, why_sentence

TURNS_SHOWN = 8
SESSIONS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class SessionBehind:
    """A session that a rule on sessions judged."""

    session: Session
    value: float


def alert_page(alert: Alert, user: User, *, may_read: bool, now: datetime) -> dict[str, object]:
    """The context of ``alert.html``."""
    of_turns = KINDS[alert.rule.kind].runs is Runs.TURN
    axis = SESSION_CLOCK if of_turns else CALENDAR
    (line,), series = lines_of(user, [alert], now), series_behind(alert)
    watched = _watched(alert, axis, series)
    standing = rule_standing([alert.rule], viewer=user, now=now)[alert.rule_id]
    figure = alert_figure(watched, _moments(alert, axis), _line_words(watched), axis) if series else None
    behind = _turns(alert, watched, may_read) if of_turns else {"sessions": _sessions(alert, series)}
    return behind | {
        "line": line,
        "of_turns": of_turns,
        "span": _span(alert, axis),
        "measure": measure_name(alert.version.measure),
        "figure": figure,
        "table": [(axis.say(t), v) for t, v in zip(watched.at_s, watched.values, strict=True)],
        "terms": in_words(alert.version),
        "why": why_sentence(alert),
        "story": story_of(alert, now=now),
        "verdict_line": verdict_sentence(standing),
        "recognizer_line": words.recognizer_line(
            alert.recognizer.name, alert.recognizer.version, alert.recognizer.headline
        ),
        "voice_line": words.HOW_A_VOICE_MAY_SOUND,
    }


def without_series(page: dict[str, object]) -> dict[str, object]:
    """The page for who listens first: that it fired and why, without the readings that led there."""
    kept = {name: value for name, value in page.items() if name not in ("turns", "sessions", "coverage")}
    return kept | {"figure": None, "table": [], "waits": True}


def _turns(alert: Alert, watched: Watched, may_read: bool) -> dict[str, object]:
    turns, values = _turns_behind(alert, may_read), dict(zip(watched.at_s, watched.values, strict=True))
    personal = alert.version.measure in ALREADY_PERSONAL
    return {
        "turns": [(row, values.get(row.at_s)) for row in turns],
        "personal": personal,
        "unit": _("own spreads") if personal else "",
        "coverage": _coverage(turns),
    }


def _sessions(alert: Alert, series: Sequence[Value]) -> list[SessionBehind]:
    """The last ones up to its firing, the newest first; of several values of one session the latest."""
    latest = {row.session: row.value for row in series if row.at <= alert.fired_at}
    newest_first = list(latest.items())[::-1][:SESSIONS_SHOWN]
    found = Session.objects.in_bulk([session for session, _value in newest_first])
    return [SessionBehind(found[session], value) for session, value in newest_first if session in found]


def _span(alert: Alert, axis: Axis) -> str:
    """From when to when it fired."""
    began = axis.say(_on(axis, alert, alert.fired_at))
    if alert.resolved_at is None:
        return _("%(began)s – now") % {"began": began}
    return f"{began} – {axis.say(_on(axis, alert, alert.resolved_at))}"


def _on(axis: Axis, alert: Alert, at: datetime) -> float:
    """A moment on the chart's axis: on the session's clock, or in seconds since 1970."""
    return session_page.offset_s(alert.session, at) if axis is SESSION_CLOCK else at.timestamp()


def _watched(alert: Alert, axis: Axis, series: Sequence[Value]) -> Watched:
    """The number that the rule watched: turn by turn, session by session, or day by day."""
    return Watched(
        at_s=[_on(axis, alert, row.at) for row in series],
        values=[row.value for row in series],
        threshold=alert.baseline.get("threshold", alert.version.threshold),
        recovery=alert.baseline.get("recovery", alert.version.recovery_threshold),
        above=KINDS[alert.rule.kind].above,
        usual=_usual(alert),
    )


def _usual(alert: Alert) -> tuple[float, float] | None:
    """The person's own usual on the scale of the measure, where the alert knows it."""
    if alert.version.measure in ALREADY_PERSONAL:
        return -1.0, 1.0
    usual = (alert.baseline.get("median"), alert.baseline.get("mad"))
    level = alert.version.measure == "mood_level"
    return Usual(median=usual[0], mad=usual[1]).band() if level and None not in usual else None


def _moments(alert: Alert, axis: Axis) -> Moments:
    pending, fired, ended = (
        None if at is None else _on(axis, alert, at)
        for at in (alert.pending_at, alert.fired_at, alert.resolved_at)
    )
    return Moments(
        pending,
        fired,
        ended,
        pending=_("began %(at)s") % {"at": axis.say(pending)},
        fired=_("fired %(at)s") % {"at": axis.say(fired)},
        ended=_("ended %(at)s") % {"at": axis.say(ended)} if ended is not None else "",
    )


def _line_words(watched: Watched) -> dict[str, str]:
    fires, ends = (_("fires<br>above %(x)s"), _("ends<br>below %(x)s"))
    if not watched.above:
        fires, ends = (_("fires<br>below %(x)s"), _("ends<br>above %(x)s"))
    return {
        "fires": fires % {"x": number(round(watched.threshold, 2))},
        "ends": ends % {"x": number(round(watched.recovery, 2))},
        "usual": _("usual"),
    }


def _turns_behind(alert: Alert, may_read: bool) -> list[session_page.Row]:
    """What the client said from the alert's beginning until it fired, turns without a reading among it."""
    page = session_page.load(alert.session, may_read=may_read)
    start, stop = (session_page.offset_s(alert.session, at) for at in (alert.pending_at, alert.fired_at))
    behind = [row for row in page.rows if row.kind in ("turn", "gap") and start <= row.at_s <= stop]
    return behind[-TURNS_SHOWN:]


def _coverage(turns: Sequence[session_page.Row]) -> str:
    if not turns:
        return ""
    read = sum(row.kind == "turn" for row in turns)
    return ngettext(
        "%(read)d of this %(n)d turn gave a reading.",
        "%(read)d of these %(n)d turns gave a reading.",
        len(turns),
    ) % {"read": read, "n": len(turns)}
