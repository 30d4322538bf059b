"""Webhooks: what is signed, where they may go, and what each answer means."""

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from emotrack.alerts.delivery.transports import Message, TransportError
from emotrack.alerts.delivery.transports.address import permitted, place_of
from emotrack.alerts.delivery.transports.webhook import Webhook, new_secret, signature
from tests.emotrack.alerts.delivery.receiver import receiving

NOW = dt.datetime(2026, 3, 2, 10, 0, tzinfo=dt.UTC)
SECRET = new_secret()
LOCAL = {"allow_http": True, "allow_private": True}


def message(url, body=b'{"type":"alert.fired"}', secret=SECRET):
    return Message("msg1", url, (secret,), body, NOW)


def refusal(call, *args, **kwargs):
    with pytest.raises(TransportError) as caught:
        call(*args, **kwargs)
    return caught.value


# --- What is sent -------------------------------------------------------------------------------


def test_the_signature_is_that_of_the_published_example():
    """From the specification's own test vector."""
    assert (
        signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1614265330,
            b'{"test": 2432232314}',
        )
        == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )


def test_the_receiver_can_check_what_it_got():
    with receiving() as receiver:
        Webhook(**LOCAL).send(message(receiver.url))
    ((headers, body),) = receiver.calls
    signed = f"msg1.{int(NOW.timestamp())}.".encode() + body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("msg1", str(int(NOW.timestamp())))


def test_secrets_are_of_24_bytes_and_never_the_same():
    first, second = new_secret(), new_secret()
    assert first != second
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 24


# --- What an answer means -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [200, 202, 204])
def test_any_2xx_is_taken(status):
    with receiving(status) as receiver:
        Webhook(**LOCAL).send(message(receiver.url))
    assert receiver.ids == ["msg1"]


@pytest.mark.parametrize("status", [400, 404, 408, 429, 500, 503])
def test_other_failures_may_be_tried_again(status):
    with receiving(status) as receiver:
        error = refusal(Webhook(**LOCAL).send, message(receiver.url))
    assert (error.permanent, str(status) in str(error)) == (False, True)


def test_410_is_for_good():
    with receiving(410) as receiver:
        error = refusal(Webhook(**LOCAL).send, message(receiver.url))
    assert (error.gone, error.permanent) == (True, True)


def test_a_redirect_is_not_followed():
    with receiving() as elsewhere, receiving(307, headers={"Location": elsewhere.url}) as receiver:
        error = refusal(Webhook(**LOCAL).send, message(receiver.url))
    assert (error.permanent, elsewhere.calls) == (True, [])


@pytest.mark.parametrize(
    ("said", "seconds"), [("90", 90.0), ("soon", None), ("-5", None), ("999999", 86400.0)]
)
def test_a_receiver_may_ask_to_be_left_alone(said, seconds):
    with receiving(429, headers={"Retry-After": said}) as receiver:
        assert refusal(Webhook(**LOCAL).send, message(receiver.url)).retry_after_s == seconds


def test_a_hang_up_may_be_tried_again():
    with receiving("hang_up") as receiver:
        assert not refusal(Webhook(**LOCAL).send, message(receiver.url)).permanent


def test_nobody_at_the_port_may_be_tried_again():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert not refusal(Webhook(**LOCAL).send, message(f"http://127.0.0.1:{port}/")).permanent


def test_an_answer_that_drips_is_cut_off():
    with receiving(0.05) as receiver:
        error = refusal(Webhook(**LOCAL, deadline_s=0.3).send, message(receiver.url))
    assert not error.permanent


# --- Where it may go ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "fd00::1", "100.64.0.1",
        "169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255",
        "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1",
        "192.88.99.1", "::7f00:1", "fec0::1", "192.0.2.1", "198.18.0.1", "2001:db8::1",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_refused(address):
    assert not permitted(ipaddress.ip_address(address), allow_private=False)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_are_permitted(address):
    assert permitted(ipaddress.ip_address(address), allow_private=False)


@pytest.mark.parametrize("address", ["127.0.0.1", "192.168.1.1", "fd00::1", "100.64.0.1", "::ffff:10.0.0.1"])
def test_the_own_network_can_be_allowed(address):
    assert permitted(ipaddress.ip_address(address), allow_private=True)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "224.0.0.1", "0.0.0.0", "64:ff9b::a00:1"])
def test_what_no_webhook_needs_stays_refused_even_then(address):
    assert not permitted(ipaddress.ip_address(address), allow_private=True)


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/", "ftp://example.com/", "https://", "https:///path", "https://user:pw@example.com/",
        "https://example.com/a b", "https://example.com/\nx: y", "https://example.com:99999/", "https://[::1/",
        "//example.com", "https://exa\x00mple.com/", "",
    ],
)  # fmt: skip
def test_a_url_that_cannot_be_a_webhook_is_refused(url):
    assert refusal(place_of, url, allow_http=False).permanent


def test_a_url_is_taken_apart():
    place = place_of("https://Example.com:8443/hook?a=1", allow_http=False)
    assert (place.host, place.port, place.target, place.host_header) == (
        "example.com", 8443, "/hook?a=1", "example.com:8443",
    )  # fmt: skip


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]"])
def test_loopback_is_refused_however_it_is_written(host):
    assert refusal(Webhook(allow_http=True).check, f"http://{host}:9/").permanent


def test_one_private_address_among_public_ones_refuses_the_name(monkeypatch):
    stands_for(monkeypatch, "93.184.216.34", "10.0.0.7")
    assert refusal(Webhook().check, "https://two-faced.example/").permanent


def test_a_name_that_cannot_be_looked_up_may_be_tried_again(monkeypatch):
    def fail(*args, **kwargs):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    assert not refusal(Webhook().check, "https://example.com/").permanent


def stands_for(monkeypatch, *addresses):
    asked = []

    def look_up(host, port, *args, **kwargs):
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr("emotrack.alerts.delivery.transports.address.socket.getaddrinfo", look_up)
    return asked


# --- TLS on a pinned address --------------------------------------------------------------------


def authority_for(name, folder):
    """A server context for ``name`` and a client context that trusts only its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(dt.datetime.now(dt.UTC) - dt.timedelta(days=1))
        .not_valid_after(dt.datetime.now(dt.UTC) + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "both.pem"
    pem.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    trusting = ssl.create_default_context(
        cadata=certificate.public_bytes(serialization.Encoding.PEM).decode()
    )
    return server, trusting


def test_the_certificate_is_checked_against_the_name_though_the_address_is_pinned(monkeypatch, tmp_path):
    server, trusting = authority_for("hooks.example", tmp_path)
    with receiving(tls=server) as receiver:
        port = receiver.url.rsplit(":", 1)[1]
        stands_for(monkeypatch, "127.0.0.1")
        webhook = Webhook(allow_private=True, tls=trusting)
        webhook.send(message(f"https://hooks.example:{port}"))
        wrong = refusal(webhook.send, message(f"https://other.example:{port}"))
    assert len(receiver.calls) == 1
    assert "certificate" in str(wrong)


def test_a_certificate_of_an_unknown_authority_is_refused(tmp_path, monkeypatch):
    server, _trusting = authority_for("hooks.example", tmp_path)
    with receiving(tls=server) as receiver:
        port = receiver.url.rsplit(":", 1)[1]
        stands_for(monkeypatch, "127.0.0.1")
        refusal(Webhook(allow_private=True).send, message(f"https://hooks.example:{port}"))
    assert receiver.calls == []


def test_the_name_is_looked_up_once_a_call(monkeypatch):
    with receiving() as receiver:
        port = int(receiver.url.rsplit(":", 1)[1].split("/")[0])
        asked = stands_for(monkeypatch, "127.0.0.1")
        Webhook(**LOCAL).send(message(f"http://hooks.example:{port}/"))
    assert asked.count("hooks.example") == 1
    assert receiver.calls[0][0]["host"] == f"hooks.example:{port}"
