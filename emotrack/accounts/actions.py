"""Let people and apps in, and show them out."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction

from emotrack.accounts.models import ApiKey, App, Role, RoleGrant, Scope, User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.identifiers import ALPHABET

_LAST_USED_STEP = timedelta(minutes=1)


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@transaction.atomic
def create_user(
    *, username: str, password: str, roles: Iterable[Role], by: Actor, now: datetime, **fields: object
) -> User:
    user = User.objects.create_user(username=username, password=password, **fields)
    for role in roles:
        RoleGrant.objects.create(user=user, role=role, granted_at=now)
    record("user.created", by=by, now=now, subject=username, roles=sorted(roles))
    return user


@transaction.atomic
def create_app(
    *,
    name: str,
    by: Actor,
    now: datetime,
    counselors: Iterable[User] = (),
    consent_purposes: Iterable[str] = (),
    consent_version: str = "",
) -> App:
    app = App.objects.create(
        name=name,
        created_at=now,
        consent_purposes=sorted(consent_purposes),
        consent_version=consent_version,
    )
    app.default_counselors.set(counselors)
    record("app.created", by=by, now=now, subject=app.public_id)
    return app


@transaction.atomic
def create_key(
    *,
    app: App,
    scopes: Iterable[Scope],
    by: Actor,
    now: datetime,
    expires_at: datetime | None = None,
    loopback_only: bool = False,
) -> tuple[ApiKey, str]:
    """The row and the full key; the key is not stored and cannot be shown again."""
    prefix, secret = _random(8), _random(32)
    key = ApiKey.objects.create(
        app=app,
        prefix=prefix,
        secret_sha256=hashlib.sha256(secret.encode()).digest(),
        scopes=sorted(scopes),
        loopback_only=loopback_only,
        created_at=now,
        expires_at=expires_at,
    )
    record("key.created", by=by, now=now, subject=prefix, app=app.public_id, scopes=sorted(scopes))
    return key, f"emo_{prefix}_{secret}"


@transaction.atomic
def revoke_key(key: ApiKey, *, by: Actor, now: datetime) -> None:
    if key.revoked_at is None:
        key.revoked_at = now
        key.save(update_fields=["revoked_at"])
        record("key.revoked", by=by, now=now, subject=key.prefix)


def key_for(token: str, *, now: datetime) -> ApiKey | None:
    """The valid key that ``token`` opens, or ``None``; notes its use at most once a minute."""
    parts = token.split("_")
    if len(parts) != 3 or parts[0] != "emo":
        return None
    key = ApiKey.objects.select_related("app").filter(prefix=parts[1]).first()
    if key is None or not key.opens_with(parts[2]) or not key.is_valid_at(now):
        return None
    if key.last_used_at is None or now - key.last_used_at > _LAST_USED_STEP:
        ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
    return key
