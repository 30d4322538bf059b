"""Sessions whose measures are planted, so that what the rules must find is known."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta

from analysis.baseline import SessionBaseline, Usual
from analysis.volatility import WINDOW_PAIRS
from emotrack.alerts import actions
from emotrack.alerts.models import Alert, Kind, NotificationChannel, RuleBook, RuleVersion, Trouble
from emotrack.alerts.service.troubles import observe
from emotrack.history.models import Recognizer, Session, Utterance
from emotrack.mood.models import MoodPoint, SessionMood
from tests.emotrack import factories

NOW = factories.NOW
BEFORE = NOW - timedelta(days=30)
STEP = timedelta(seconds=20)
ARMED = SessionBaseline(
    sessions=9,
    valence=Usual(120, 0.0, 0.1),
    window_distance=Usual(80, 0.3, 0.05),
    volatility=Usual(80, 1, 0.2),
)
SHORT = {
    Kind.VOLATILITY: {"threshold": 3.0, "recovery_threshold": 2.0, "for_count": 3},
    Kind.NEGATIVE_MOOD: {"threshold": -0.25, "recovery_threshold": -0.2, "for_count": 10},
}


def rules(*, now: datetime) -> None:
    """The shipped rules, those on turns with terms that a short series can meet: how alerts live does not
    depend on what is shipped."""
    actions.ensure_default_rules(now=now)
    for kind, terms in SHORT.items():
        RuleVersion.objects.filter(rule__shipped_as=kind).update(**terms)
    RuleBook.turn()


def series(
    of: Session,
    by: Recognizer | None = None,
    *,
    baseline: SessionBaseline | None = ARMED,
    **columns: list[float | None],
) -> list[Utterance]:
    """One utterance every 20 s with these measures: ``series(session, volatility_z=[0, 4, 4, 4])``."""
    by = by or factories.recognizer()
    mood(of, by, baseline)
    length = len(next(iter(columns.values())))
    return [point(of, i, by, **{name: values[i] for name, values in columns.items()}) for i in range(length)]


def mood(of: Session, by: Recognizer, baseline: SessionBaseline | None = ARMED) -> SessionMood:
    stored = None if baseline is None else asdict(baseline)
    return SessionMood.objects.create(
        client=of.client, session=of, recognizer=by, started_at=of.started_at, baseline=stored
    )


def point(
    of: Session,
    place: int,
    by: Recognizer | None = None,
    *,
    pairs: int = WINDOW_PAIRS,
    **measures: float | None,
) -> Utterance:
    """The utterance at that place in the session; one without measures is a gap."""
    by = by or factories.recognizer()
    at = of.started_at + place * STEP
    spoken = factories.utterance(of, at, by=by, text=None)
    gap = all(value is None for value in measures.values())
    MoodPoint.objects.create(
        client=of.client,
        session=of,
        recognizer=by,
        utterance=spoken,
        occurred_at=at,
        ended_at=at + timedelta(seconds=4),
        reading="unknown" if gap else "ok",
        window_pairs=pairs,
        **measures,
    )
    return spoken


def place(of: Session, moment: datetime) -> int:
    """The place in the session, counted from 0, of the utterance that began then."""
    return (moment - of.started_at) // STEP


def told() -> list[tuple]:
    """What stands, free of ids: rule, places, end and state."""
    return [
        (
            alert.rule.kind,
            place(alert.session, alert.pending_at),
            place(alert.session, alert.fired_at),
            alert.end_reason,
            alert.state,
            alert.peak,
        )
        for alert in Alert.objects.standing().select_related("rule", "session").order_by("fired_at", "id")
    ]


def channel(url: str = "http://127.0.0.1:9/", **more: object) -> NotificationChannel:
    made = NotificationChannel(**{"name": "Front desk", "url": url, "created_at": NOW} | more)
    made.secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    made.save()
    return made


def trouble(kind: str, *, now: datetime, **detail: object) -> None:
    """One that two looks in a row have found."""
    for _look in range(2):
        observe(Trouble(kind), detail, now=now)


def trouble_over(kind: str, *, now: datetime) -> None:
    for _look in range(2):
        observe(Trouble(kind), None, now=now)
