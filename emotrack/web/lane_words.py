"""What stands beside the lanes of a session's figure, and the lines by which changeability is judged."""

from __future__ import annotations

from django.utils.translation import gettext as _

from emotrack.alerts.lifecycle.evaluation import rules_for
from emotrack.alerts.models import Kind, RuleVersion
from emotrack.history.models import Recognizer, Session
from emotrack.web.timeline import Words


def hidden_words() -> Words:
    """For who listens first: nothing that depends on a reading."""
    return Words(
        lanes={
            "sound": (_("Sound"), _("click to play")),
            "mood": (_("Mood"), _("hidden for now")),
            "ribbon": (_("May sound"), _("turns you have judged")),
        },
        hidden=_("Readings appear when you have written down what you heard."),
    )


def lane_words(
    recognizer: Recognizer | None,
    lines: RuleVersion | None,
    *,
    has_z: bool,
    has_usual: bool,
    has_alerts: bool,
) -> Words:
    valence = recognizer is None or recognizer.headline == "valence"
    band = _("band: usual") if has_usual else _("no usual yet")
    return Words(
        lanes={
            "sound": (_("Sound"), _("click to play")),
            "why": (_("Why"), _why_words(recognizer)),
            "bins": (_("May sound"), _("mean shares")),
            "tone": (_("Tone"), ""),
            "words": (_("Words"), ""),
            "mood": (_("Mood"), _("valence; %(band)s") % {"band": band})
            if valence
            else (_("Calm ↔ agitated"), band),
            "ribbon": (_("May sound"), _("height = share")),
            "volatility": (
                _("Volatility"),
                _("against own usual") if has_z else _("plain index, no usual yet"),
            ),
            "alerts": (_("Alerts"), "" if has_alerts else _("none")),
        },
        no_reading=_("no reading"),
        alert_above=_("alert above %(x)s") % {"x": f"{lines.threshold:g}"} if lines else "",
        ends_below=_("ends below %(x)s") % {"x": f"{lines.recovery_threshold:g}"} if lines else "",
    )


def _why_words(recognizer: Recognizer | None) -> str:
    windowed = recognizer is not None and recognizer.decomposition == "windowed"
    return _("towards its label, approximate") if windowed else _("towards its label")


def volatility_lines(session: Session) -> RuleVersion | None:
    """The terms by which the session's changeability is judged: the client's own rule's, else everybody's."""
    rules = [rule for rule in rules_for(session.client_id) if rule.kind == Kind.VOLATILITY]
    for rule in sorted(rules, key=lambda rule: (rule.client_id is None, rule.pk)):
        terms = rule.version_at(session.started_at)
        if terms.measure == "volatility_z":
            return terms
    return None
