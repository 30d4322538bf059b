"""What is sealed is sealed in the database, opens with the client's key and nowhere else."""

import numpy as np
import pytest
from django.db import connection

from emotrack import crypto
from emotrack.history.models import Client, Embedding, Utterance
from tests.emotrack import factories as make

pytestmark = pytest.mark.django_db


def raw(table: str, column: str, pk: int, key: str = "id") -> bytes:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE {key} = %s", [pk])
        return bytes(cursor.fetchone()[0])


def test_a_name_is_not_in_the_database_in_plain():
    ann = make.client("Ann-Sophie Unusual")
    assert b"Unusual" not in raw("history_client", "name", ann.pk)
    assert Client.objects.get(pk=ann.pk).name == "Ann-Sophie Unusual"


def test_words_survive_with_every_sign_in_them():
    said = "  שלום 👩‍👩‍👧 é \r\n =1+1 <b>"
    row = make.utterance(make.session(make.client()), text=said)
    assert Utterance.objects.get(pk=row.pk).text == said


def test_an_embedding_comes_back_as_float16():
    vector = np.linspace(-3, 3, 64)
    row = make.utterance(make.session(make.client()), embedding=vector)
    assert np.array_equal(Embedding.objects.get(pk=row.pk).vector, vector.astype("<f2"))


def test_a_value_moved_to_another_row_does_not_open():
    session = make.session(make.client())
    one, two = (make.utterance(session, text=said) for said in ("one", "two"))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE history_utterance SET text = %s WHERE id = %s", [
            raw("history_utterance", "text", one.pk), two.pk,
        ])  # fmt: skip
    with pytest.raises(crypto.SealBroken):
        _ = Utterance.objects.get(pk=two.pk).text


def test_a_changed_byte_does_not_open():
    row = make.utterance(make.session(make.client()), text="steady")
    sealed = bytearray(raw("history_utterance", "text", row.pk))
    sealed[-1] ^= 1
    with connection.cursor() as cursor:
        cursor.execute("UPDATE history_utterance SET text = %s WHERE id = %s", [bytes(sealed), row.pk])
    with pytest.raises(crypto.SealBroken):
        _ = Utterance.objects.get(pk=row.pk).text


def test_without_the_key_nothing_can_be_read_again():
    ann = make.client()
    row = make.utterance(make.session(ann), text="a secret")
    Client.objects.filter(pk=ann.pk).update(wrapped_key=None)
    with pytest.raises(crypto.KeyDestroyed):
        _ = Utterance.objects.get(pk=row.pk).text


def test_saving_a_row_that_was_not_opened_keeps_its_words():
    row = make.utterance(make.session(make.client()), text="kept")
    again = Utterance.objects.get(pk=row.pk)
    again.language = "en"
    again.save()
    assert Utterance.objects.get(pk=row.pk).text == "kept"


def test_two_clients_have_two_keys():
    assert make.client().data_key != make.client().data_key
