"""Scripts and style sheets arrive whole, in parts, or not at all when the browser has them."""

import gzip

import pytest

from emotrack.web.static_files import StaticFilesMiddleware

ADDRESS = "/static/js/site.js"


@pytest.fixture
def whole(client, db):
    return client.get(ADDRESS)


def test_a_script_comes_whole_and_not_as_a_stream(whole, settings):
    assert not whole.streaming
    assert whole.content == (settings.BASE_DIR / "static/js/site.js").read_bytes()
    assert whole.headers["Content-Type"].startswith("text/javascript")


def test_a_part_of_a_file_is_that_part(client, whole):
    part = client.get(ADDRESS, headers={"Range": "bytes=10-19"})
    assert part.status_code == 206 and part.content == whole.content[10:20]


def test_it_travels_packed_to_who_can_unpack_it(client, whole):
    packed = client.get(ADDRESS, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip" and gzip.decompress(packed.content) == whole.content
    assert int(packed.headers["Content-Length"]) == len(packed.content) < len(whole.content)
    assert "Content-Encoding" not in whole.headers
    assert packed.headers["Vary"] == whole.headers["Vary"] == "Accept-Encoding"


def test_a_part_is_never_packed(client, whole):
    part = client.get(ADDRESS, headers={"Range": "bytes=10-2000", "Accept-Encoding": "gzip"})
    assert part.content == whole.content[10:2001] and "Content-Encoding" not in part.headers


def test_what_the_browser_has_is_not_sent_again(client, whole):
    again = client.get(ADDRESS, headers={"If-Modified-Since": whole.headers["Last-Modified"]})
    assert again.status_code == 304 and again.content == b""


def test_asked_for_the_head_it_sends_no_body(client, db):
    head = client.head(ADDRESS)
    assert head.status_code == 200 and head.content == b""


def test_a_file_that_was_exchanged_while_we_run_is_sent_whole(tmp_path, rf):
    place = tmp_path / "grown.js"
    place.write_text("short")
    middleware = StaticFilesMiddleware(lambda request: None)
    middleware.add_file_to_dictionary("/grown.js", str(place))
    place.write_text("much longer than before")
    answer = middleware(rf.get("/grown.js"))
    assert answer.content == b"much longer than before"
    assert answer.headers["Content-Length"] == str(len(answer.content))
