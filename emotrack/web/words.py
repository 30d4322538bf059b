"""The words on the pages: how a voice may sound, never what a person feels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext_lazy
from django.utils.translation import gettext as _

from analysis.baseline import ARM_SESSIONS, ARM_UTTERANCE_VALUES
from analysis.values import LABELS
from emotrack.alerts.models import Alert, Kind
from emotrack.history.remark_models import NO_LABEL_FITS
from emotrack.mood.queries import CaseRow, Standing
from emotrack.web.timeline import signed

EMOTIONS: dict[str, Promise] = {
    "angry": gettext_lazy("angry"),
    "disgusted": gettext_lazy("disgusted"),
    "fearful": gettext_lazy("fearful"),
    "happy": gettext_lazy("happy"),
    "neutral": gettext_lazy("neutral"),
    "other": gettext_lazy("other"),
    "sad": gettext_lazy("sad"),
    "surprised": gettext_lazy("surprised"),
    "unknown": gettext_lazy("unknown"),
}

CODES: dict[str, Promise] = {
    "angry": pgettext_lazy("two letters for angry", "An"),
    "disgusted": pgettext_lazy("two letters for disgusted", "Di"),
    "fearful": pgettext_lazy("two letters for fearful", "Fe"),
    "happy": pgettext_lazy("two letters for happy", "Ha"),
    "neutral": pgettext_lazy("two letters for neutral", "Ne"),
    "other": pgettext_lazy("two letters for other", "Ot"),
    "sad": pgettext_lazy("two letters for sad", "Sa"),
    "surprised": pgettext_lazy("two letters for surprised", "Su"),
    "unknown": pgettext_lazy("one sign for unknown", "?"),
}

NO_READING: dict[str, Promise] = {
    "no_speech": gettext_lazy("No speech in it."),
    "unknown": gettext_lazy("The voice fits no label here."),
    "ambiguous": gettext_lazy("Mixed: no label stands out."),
    "too_quiet": gettext_lazy("Too quiet to read."),
    "clipped": gettext_lazy("Too loud for the microphone to read."),
    "too_short": gettext_lazy("Less than one second of voice."),
    "truncated": gettext_lazy("The recording breaks off."),
    "low_quality": gettext_lazy("The sound is too poor to read."),
}

SHORT_REASONS: dict[str, Promise] = {
    "no_speech": gettext_lazy("no speech"),
    "unknown": gettext_lazy("fits no label"),
    "ambiguous": gettext_lazy("mixed"),
    "too_quiet": gettext_lazy("too quiet"),
    "clipped": gettext_lazy("too loud"),
    "too_short": gettext_lazy("too short"),
    "truncated": gettext_lazy("breaks off"),
    "low_quality": gettext_lazy("poor sound"),
}

DIMENSIONS: dict[str, Promise] = {
    "valence": gettext_lazy("valence"),
    "arousal": gettext_lazy("calm ↔ agitated"),
}

SIDES: dict[tuple[str, int], Promise] = {
    ("valence", -1): gettext_lazy("Lower than usual"),
    ("valence", 1): gettext_lazy("Higher than usual"),
    ("arousal", -1): gettext_lazy("Calmer than usual"),
    ("arousal", 1): gettext_lazy("More agitated than usual"),
}

SHIFTS: dict[tuple[str, int], Promise] = {
    ("valence", -1): gettext_lazy("Lower at the end"),
    ("valence", 0): gettext_lazy("No shift beyond chance"),
    ("valence", 1): gettext_lazy("Higher at the end"),
    ("arousal", -1): gettext_lazy("Calmer at the end"),
    ("arousal", 0): gettext_lazy("No shift beyond chance"),
    ("arousal", 1): gettext_lazy("More agitated at the end"),
}
"""The last quarter of a session against its first."""

ALERT_STARTS: dict[str, Promise] = {
    Kind.VOLATILITY: gettext_lazy("More changeable than usual"),
    Kind.NEGATIVE_MOOD: gettext_lazy("Lower than usual"),
    Kind.EMOTION_SHARE: gettext_lazy("One way of sounding prevailed"),
}
"""How a sentence begins that says when an alert of a kind held."""


def percent(share: float | None) -> str:
    """A share as people read it, with a narrow space before the sign."""
    return "–" if share is None else f"{round(100 * share)} %"


def reason_slug(reading: str, quality: dict | None) -> str:
    """The most telling of the reasons why a turn has no reading."""
    found = (quality or {}).get("reason") if reading == "low_quality" else None
    return found if found in NO_READING else reading


def strongest(shares: Sequence[float]) -> str:
    return LABELS[max(range(len(LABELS)), key=lambda i: shares[i])]


def two_close(shares: Sequence[float]) -> str:
    """What an ambiguous turn lies between."""
    first, second = sorted(range(len(LABELS)), key=lambda i: -shares[i])[:2]
    names = {"first": EMOTIONS[LABELS[first]], "second": EMOTIONS[LABELS[second]]}
    return _("Mixed: %(first)s and %(second)s are close.") % names


def you_heard(label: str) -> str:
    if label == NO_LABEL_FITS:
        return _("You heard: no label fits.")
    return _("You heard: %(label)s.") % {"label": EMOTIONS[label]}


def distribution(shares: Sequence[float], least: float = 0.005) -> list[tuple[str, float]]:
    """Labels with their shares, the largest first; those that round to nothing are left out."""
    pairs = [(label, float(share)) for label, share in zip(LABELS, shares, strict=True)]
    return sorted([pair for pair in pairs if pair[1] >= least], key=lambda pair: -pair[1])


@lru_cache(maxsize=8)
def _emotions(_language: str) -> dict[str, str]:
    return {label: str(name) for label, name in EMOTIONS.items()}


def in_a_line(shares: Sequence[float], most: int = 4) -> str:
    names = _emotions(get_language())
    return ", ".join(f"{names[k]} {percent(v)}" for k, v in distribution(shares)[:most])


# --- A client against their own usual -----------------------------------------------------------


def standing_sentence(standing: Standing, headline: str, now: datetime) -> str:
    """One sentence on where a client stands."""
    if standing.kind == "little":
        return _too_little(standing)
    if standing.kind == "usual":
        return _("As usual.")
    side = SIDES[headline, standing.side]
    if standing.kind == "jump":
        return _("%(side)s in the last session, more than chance alone would give.") % {"side": side}
    weeks = round((now - standing.since) / timedelta(weeks=1))
    if standing.kind == "trend":
        slope = f"{standing.slope:+.3f}".replace("-", "−")
        return _("%(side)s: moving by %(slope)s a week.") % {"side": side, "slope": slope}
    if weeks >= 2:
        return ngettext(
            "%(side)s, steadily for %(n)d week.", "%(side)s, steadily for %(n)d weeks.", weeks
        ) % {"side": side, "n": weeks}
    return _("%(side)s in the last %(n)d sessions.") % {"side": side, "n": standing.sessions}


def _too_little(standing: Standing) -> str:
    if standing.band is not None:
        return _("Too little to say about the last session.")
    if standing.sessions == 0:
        return _("Nothing heard yet.")
    return ngettext(
        "Too little to say: %(n)d session so far, %(needed)d make a usual range.",
        "Too little to say: %(n)d sessions so far, %(needed)d make a usual range.",
        standing.sessions,
    ) % {"n": standing.sessions, "needed": ARM_SESSIONS + 1}


def told_sentence(standing: Standing, headline: str, alerts: Sequence[Alert], now: datetime) -> str:
    """What to look at first: an alert before a change, and never a bare "as usual" beside an alert.

    alerts: those to tell of, the first to be named first.
    """
    said = standing_sentence(standing, headline, now)
    if not alerts:
        return said
    day = date_format(timezone.localtime(alerts[0].fired_at), "j M")
    if alerts[0].rule.kind == Kind.NEGATIVE_MOOD and standing.side < 0:
        return _("%(sentence)s Alert on %(day)s.") % {"sentence": said, "day": day}
    alert = _("%(title)s on %(day)s.") % {"title": alerts[0].title, "day": day}
    return alert if standing.kind in ("usual", "little") else f"{alert} {said}"


def group_of(row: CaseRow, alerts: Sequence[Alert]) -> str:
    """The part of the caseload where a client stands; an alert that somebody has seen is still a change."""
    if any(alert.acknowledged_at is None for alert in alerts):
        return "look"
    if alerts:
        return "changed"
    return {"little": "little", "usual": "usual"}.get(row.standing.kind, "changed")


GROUPS: tuple[tuple[str, Promise], ...] = (
    ("look", gettext_lazy("Worth a look")),
    ("changed", gettext_lazy("Changed")),
    ("usual", gettext_lazy("As usual")),
    ("little", gettext_lazy("Too little to say")),
)


def range_words(band: tuple[float, float]) -> str:
    return _("usual %(low)s…%(high)s") % {"low": signed(band[0]), "high": signed(band[1])}


def how_long_ago(then: datetime, now: datetime) -> str:
    """Whole days in the zone of ``then`` and ``now``, which must be the reader's."""
    days = (now.date() - then.date()).days
    if days <= 0:
        return _("Today")
    if days == 1:
        return _("Yesterday")
    if days < 60:
        return ngettext("%(n)d day ago", "%(n)d days ago", days) % {"n": days}
    return ngettext("%(n)d month ago", "%(n)d months ago", round(days / 30.4)) % {"n": round(days / 30.4)}


# --- How sure -----------------------------------------------------------------------------------


def baseline_state(n: int) -> str:
    if n >= ARM_UTTERANCE_VALUES:
        return ngettext("Usual from %(n)d earlier reading.", "Usual from %(n)d earlier readings.", n) % {
            "n": n
        }
    return _("Baseline still forming, %(n)d of %(needed)d.") % {"n": n, "needed": ARM_UTTERANCE_VALUES}


def recognizer_line(name: str, version: str, headline: str) -> str:
    """Which recognizer it was and what it is better at; stands under every figure."""
    card = {"name": name, "version": version}
    if headline == "arousal":
        return (
            _("Recognizer %(name)s %(version)s. Calm ↔ agitated is its stronger side; labels are tentative.")
            % card
        )
    return _("Recognizer %(name)s %(version)s.") % card


HOW_A_VOICE_MAY_SOUND = gettext_lazy("A reading describes how a voice may sound, not what a person feels.")
