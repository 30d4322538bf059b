"""What the log of looks and changes says, in a reader's words."""

from __future__ import annotations

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from emotrack.audit.models import AuditEvent
from emotrack.privacy.models import Purpose

WORDS: dict[str, Promise] = {
    "client.read": gettext_lazy("opened the client’s page"),
    "clients.read": gettext_lazy("read the client’s record"),
    "client.compared": gettext_lazy("compared sessions or periods"),
    "consents.read": gettext_lazy("opened the consents"),
    "access_log.read": gettext_lazy("opened the log of looks"),
    "session.read": gettext_lazy("opened a session"),
    "alert.read": gettext_lazy("opened an alert"),
    "utterances.read": gettext_lazy("read what was said"),
    "notes.read": gettext_lazy("read the notes"),
    "audio.read": gettext_lazy("listened"),
    "report.read": gettext_lazy("made a report"),
    "session.exported": gettext_lazy("exported a session"),
    "client.exported": gettext_lazy("exported the client"),
    "client.created": gettext_lazy("added the client"),
    "client.renamed": gettext_lazy("changed the name"),
    "client.assigned": gettext_lazy("assigned a counselor"),
    "client.unassigned": gettext_lazy("took a counselor away"),
    "consent.given": gettext_lazy("wrote down a consent"),
    "consent.withdrawn": gettext_lazy("withdrew a consent"),
    "consent.restored": gettext_lazy("took a withdrawal of consent back"),
    "note.written": gettext_lazy("wrote a note"),
    "note.changed": gettext_lazy("changed a note"),
    "note.deleted": gettext_lazy("deleted a note"),
    "note.restored": gettext_lazy("brought a note back"),
    "utterance.corrected": gettext_lazy("wrote down what they heard"),
    "utterance.deleted": gettext_lazy("deleted a turn"),
    "utterance.changed": gettext_lazy("changed a turn"),
    "stream.started": gettext_lazy("began a live session"),
    "recording.accepted": gettext_lazy("uploaded a recording"),
    "recording.canceled": gettext_lazy("canceled a recording"),
    "recording.failed": gettext_lazy("could not read a recording"),
    "utterance.correction_withdrawn": gettext_lazy("took back what they heard"),
    "alert.fired": gettext_lazy("an alert fired"),
    "alert.resolved": gettext_lazy("an alert ended"),
    "alert.superseded": gettext_lazy("an alert became part of another"),
    "alert.reopened": gettext_lazy("opened an alert again"),
    "alert.resolved_by_hand": gettext_lazy("resolved an alert"),
    "alert.escalated": gettext_lazy("an alert was told to more people"),
    "alert.acknowledged": gettext_lazy("acknowledged an alert"),
    "alert.snoozed": gettext_lazy("snoozed an alert"),
    "alert.snooze_ended": gettext_lazy("ended a snooze"),
    "alert.judged": gettext_lazy("judged an alert"),
    "alert.verdict_withdrawn": gettext_lazy("took back a verdict on an alert"),
    "cohort.joined": gettext_lazy("put the client into a cohort"),
    "cohort.left": gettext_lazy("took the client out of a cohort"),
    "glass.broken": gettext_lazy("opened the client in an emergency"),
    "glass.closed": gettext_lazy("closed the emergency access"),
}
"""Action to its words; others are shown by their own name, so that the log hides nothing it does not know."""

LOOK = Q(action__endswith=".read") | Q(action__endswith=".exported") | Q(action="client.compared")

TRAFFIC = ("utterance.accepted", "session.started", "session.ended", "session.imported", "recording.done")
"""What apps do all day: no look, and no change that a person made."""


def in_words(event: AuditEvent) -> str:
    said = str(WORDS.get(event.action, event.action))
    if event.action.startswith("consent."):
        purpose = event.detail.get("purpose", "")
        label = Purpose(purpose).label if purpose in Purpose.values else purpose
        return _("%(said)s: %(purpose)s") % {"said": said, "purpose": label}
    return said
