"""What every page shows around its content."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _

from emotrack.accounts.models import User
from emotrack.alerts.models import SystemAlert
from emotrack.history.models import Utterance
from emotrack.recognition import service
from emotrack.web.looked_at import unseen_alerts
from emotrack.web.troubles import sentence

LATE = timedelta(seconds=30)
"""An utterance that waits longer than this is said to be delayed."""


def chrome(request: HttpRequest) -> dict:
    """Theme, count of unseen alerts, whether the analysis keeps up, and words for the scripts."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"theme": "system", "script_words": script_words()}
    now = timezone.now()
    delayed = Utterance.objects.filter(status="queued", received_at__lt=now - LATE).count()
    return {
        "theme": user.theme,
        "unseen_alerts": unseen_alerts(user, now=now).count(),
        "delayed": delayed,
        "troubles": troubles_for(user),
        "why_delayed": _why_delayed() if delayed and user.is_admin else "",
        "script_words": script_words(),
    }


def troubles_for(user: User) -> list[str]:
    """What ails the service, for admins."""
    return [sentence(trouble) for trouble in SystemAlert.objects.visible_to(user).open()]


def _why_delayed() -> str:
    """What stands in the way of the recognizer, where it works in this process; empty when nothing does."""
    if not settings.RECOGNIZE_IN_WEB:
        return ""
    status = service().status()
    return "" if status.ready else status.sentence


def script_words() -> dict[str, str]:
    """What the scripts say, in the reader's language."""
    return {
        "notLive": _("Not live since {time}."),
        "live": _("Live"),
        "play": _("Play"),
        "pause": _("Pause"),
        "audioGone": _("The sound was deleted on {day}. The reading stays."),
        "audioNone": _("No audio came with this turn."),
        "audioFailed": _("The audio did not load. The reading is safe."),
        "chartFailed": _("This chart did not load. The readings are safe."),
        "copied": _("Copied"),
        "copyByHand": _("Press Ctrl+C"),
        "noteNotSaved": _("Not saved: no connection. It stays here and is sent again by itself."),
        "noteRefused": _("Not saved. It stays here; try again."),
        "noteOpen": _("Save or cancel the note that is open first."),
        "saving": _("Saving…"),
        "timelineFailed": _("The newest readings did not load. What is shown stays as it is."),
        "table": _("Table"),
        "chart": _("Chart"),
        "firesAbove": _("fires above {line}"),
        "firesBelow": _("fires below {line}"),
        "previewFailed": _("The preview did not load. What is shown may not fit the terms."),
        "noneFound": _("No client matches."),
        "moreFailed": _("The other clients did not load. Try again."),
    }
