"""The lock under which what is held of a client changes: their own row."""

from __future__ import annotations

from emotrack.history.models import Client


def hold(client_id: int) -> Client:
    """Inside a transaction: the client, alone until its end. Take it before anything of theirs is written.

    Whoever took a session or an utterance first would wait for one that holds the client and waits for them.
    Rows that only point to the client can be written meanwhile, for its key is not locked.
    """
    return Client.objects.select_for_update(no_key=True).get(pk=client_id)
