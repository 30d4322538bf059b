"""Let people and apps in, and show them out."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from axes.models import AccessAttempt, AccessLog
from axes.utils import reset as forget_failed_sign_ins
from django.contrib.auth.tokens import default_token_generator
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from emotrack.accounts.models import ApiKey, App, Role, RoleGrant, Scope, User
from emotrack.audit.actions import record
from emotrack.audit.models import Actor
from emotrack.identifiers import ALPHABET

_LAST_USED_STEP = timedelta(minutes=1)
TRIES_KEPT, SIGN_INS_KEPT = timedelta(days=1), timedelta(days=90)
KEY_OVERLAP = timedelta(days=7)
"""How long a key goes on working beside the one that replaces it."""


class LastAdmin(Exception):
    """Nobody would be left who may administer the installation."""


class KeyNotInForce(Exception):
    """A key that was revoked or has run out cannot be replaced."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a link to choose a password is made of: good once, for ``PASSWORD_RESET_TIMEOUT`` seconds."""

    uid: str
    token: str


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


@transaction.atomic
def create_user(
    *, username: str, password: str | None, roles: Iterable[Role], by: Actor, now: datetime, **fields: object
) -> User:
    user = User.objects.create_user(username=username, password=password, **fields)
    for role in roles:
        RoleGrant.objects.create(user=user, role=role, granted_at=now)
    record("user.created", by=by, now=now, subject=username, roles=sorted(roles))
    return user


@transaction.atomic
def invite(
    *, username: str, roles: Iterable[Role], by: Actor, now: datetime, **fields: object
) -> tuple[User, Invitation]:
    """A person without a password, and the link by which they choose one."""
    user = create_user(username=username, password=None, roles=roles, by=by, now=now, **fields)
    return user, invitation_for(user, by=by, now=now)


@transaction.atomic
def invitation_for(user: User, *, by: Actor, now: datetime) -> Invitation:
    """A link to choose a password anew. The old password works until the link is used."""
    record("user.invited", by=by, now=now, subject=user.username)
    return Invitation(urlsafe_base64_encode(force_bytes(user.pk)), default_token_generator.make_token(user))


@transaction.atomic
def change_roles(user: User, *, roles: Iterable[Role], by: Actor, now: datetime) -> None:
    """Raises ``LastAdmin`` when that would leave no admin."""
    wanted, had = frozenset(roles), frozenset(user.role_grants.values_list("role", flat=True))
    if Role.ADMIN in had - wanted:
        _require_another_admin(user)
    user.role_grants.filter(role__in=had - wanted).delete()
    for role in sorted(wanted - had):
        RoleGrant.objects.create(user=user, role=role, granted_at=now)
    if wanted != had:
        record("user.roles_changed", by=by, now=now, subject=user.username, roles=sorted(wanted))


@transaction.atomic
def close_account(user: User, *, by: Actor, now: datetime) -> None:
    """They are signed out everywhere and cannot come in. Raises ``LastAdmin``."""
    if not user.is_active:
        return
    _require_another_admin(user)
    user.is_active = False
    user.save(update_fields=["is_active"])
    record("user.closed", by=by, now=now, subject=user.username)


@transaction.atomic
def open_account(user: User, *, by: Actor, now: datetime) -> None:
    if user.is_active:
        return
    user.is_active = True
    user.save(update_fields=["is_active"])
    record("user.opened", by=by, now=now, subject=user.username)


def _require_another_admin(user: User) -> None:
    """Holds every admin's grant, so that two admins cannot remove each other at once."""
    grants = (
        RoleGrant.objects.select_for_update(of=("self",), no_key=True)
        .filter(role=Role.ADMIN)
        .select_related("user")
    )
    admins = {grant.user_id for grant in grants if grant.user.is_active}
    if admins == {user.pk}:
        raise LastAdmin


@transaction.atomic
def lift_lockout(user: User, *, by: Actor, now: datetime) -> None:
    """Forget the failed sign-ins under their name."""
    forget_failed_sign_ins(username=user.username)
    record("user.lockout_lifted", by=by, now=now, subject=user.username)


def forget_old_sign_ins(*, now: datetime) -> int:
    """Delete sessions that ran out, and what is known of sign-ins and tries longer than it is needed."""
    gone = Session.objects.filter(expire_date__lt=now).delete()[0]
    gone += AccessAttempt.objects.filter(attempt_time__lt=now - TRIES_KEPT).delete()[0]
    return gone + AccessLog.objects.filter(attempt_time__lt=now - SIGN_INS_KEPT).delete()[0]


@transaction.atomic
def set_listens_first(user: User, *, on: bool, now: datetime) -> None:
    """Whether readings of a session wait until this person has written their own impression."""
    user.listens_first = on
    user.save(update_fields=["listens_first"])
    record("user.listens_first_set", by=user.actor, now=now, subject=user.username, on=on)


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
def change_app(
    app: App,
    *,
    name: str,
    counselors: Iterable[User],
    consent_purposes: Iterable[str],
    consent_version: str,
    by: Actor,
    now: datetime,
) -> None:
    """What it is called, who sees the clients that it creates from now on, and what its terms obtain."""
    app.name, app.consent_version = name, consent_version
    app.consent_purposes = sorted(consent_purposes)
    app.save(update_fields=["name", "consent_version", "consent_purposes"])
    app.default_counselors.set(counselors)
    record("app.changed", by=by, now=now, subject=app.public_id, purposes=app.consent_purposes)


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
def rotate_key(
    key: ApiKey, *, by: Actor, now: datetime, overlap: timedelta = KEY_OVERLAP
) -> tuple[ApiKey, str]:
    """A new key with the same scopes; the old one ends after ``overlap``. Raises ``KeyNotInForce``."""
    key = ApiKey.objects.select_for_update(of=("self",), no_key=True).select_related("app").get(pk=key.pk)
    if not key.is_valid_at(now) or key.replaced_by_id is not None:
        raise KeyNotInForce
    lasts = None if key.expires_at is None else now + (key.expires_at - key.created_at)
    new, token = create_key(
        app=key.app,
        scopes=key.scopes,
        by=by,
        now=now,
        expires_at=lasts,
        loopback_only=key.loopback_only,
    )
    key.replaced_by = new
    key.expires_at = min(now + overlap, key.expires_at or now + overlap)
    key.save(update_fields=["replaced_by", "expires_at"])
    record("key.rotated", by=by, now=now, subject=key.prefix, new=new.prefix)
    return new, token


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
