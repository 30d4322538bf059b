"""What stands on a client's page about an admin who opens its content."""

from __future__ import annotations

from django import template
from django.utils import timezone

from emotrack.accounts.models import User
from emotrack.history import break_glass
from emotrack.history.models import Client

register = template.Library()


@register.inclusion_tag("web/_glass.html")
def glass(client: Client, user: User, may_read: bool) -> dict:
    """A way in for an admin who may not read, a way out once open, and word of it for the counselors."""
    now = timezone.now()
    own = break_glass.open_glass(client, user, now) if user.is_admin else None
    told = [] if not may_read else list(break_glass.to_be_told(client, now))
    return {
        "client": client,
        "own": own,
        "told": [one for one in told if one.admin_id != user.pk],
        "may_open": user.is_admin and not may_read,
        "now": now,
    }
