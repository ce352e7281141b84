from __future__ import annotations

import errno
import gzip
import hashlib
import json
import os
import re
import resource
import shutil
import ssl
import subprocess
import sys
import threading
import time
import zlib
from collections import namedtuple
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hepclf.data.datasets import Dataset
from hepclf.data.fetch import fetch, verify
from hepclf.data.transfer import WAITS_S

ROWS = 2000
TEXT = b"".join(b"%d,%.9f,%.9f\n" % (i % 2, *pair) for i, pair in enumerate(np.random.default_rng(0).random((ROWS, 2))))
BODY = gzip.compress(TEXT, mtime=0)
OTHER = gzip.compress(TEXT[::-1], mtime=0)
CUT = 10_000


class Handler(BaseHTTPRequestHandler):
    """Serves a body with ETag and ranges as its server says, and misbehaves as the next act of its script does."""

    def do_GET(self):
        server = self.server
        server.asked.append(dict(self.headers))
        act = {**server.manner, **(server.script.pop(0) if server.script else {})}
        body, tag = act.get("body", BODY), act.get("tag", '"one"')
        headers = {"ETag": tag, "Last-Modified": act.get("modified")}
        wanted, start, status = self.headers.get("Range"), 0, act.get("status", 200)
        same = self.headers.get("If-Range") in (tag, act.get("modified")) or act.get("ignores_if_range")
        if wanted and same and act.get("ranges", True) and status == 200:
            start, status = int(wanted.removeprefix("bytes=").removesuffix("-")), 206
            total = act.get("total", len(body))
            headers["Content-Range"] = act.get("range", f"bytes {start}-{len(body) - 1}/{total}")
        sent = body[start:] if status < 300 else b""
        if not act.get("chunked"):
            headers["Content-Length"] = act.get("announce", len(sent))
        headers["Location"] = act.get("location")
        self.protocol_version = "HTTP/1.1" if act.get("chunked") else "HTTP/1.0"
        if act.get("chunked"):
            headers["Transfer-Encoding"] = "chunked"
            sent = b"%x\r\n%s\r\n" % (len(sent), sent) + b"0\r\n\r\n"
        if act.get("drip") == "head":
            self.drip(b"HTTP/1.0 200 OK\r\nX: " + bytes(100))
        self.send_response(status)
        for name, value in headers.items():
            if value is not None:
                self.send_header(name, str(value))
        self.end_headers()
        if act.get("drip"):
            self.drip(sent)
        self.wfile.write(sent[: act.get("cut", len(sent))])
        self.close_connection = True

    def drip(self, sent):
        for byte in sent[:60]:
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            time.sleep(0.01)

    def log_message(self, *_):
        pass


@contextmanager
def serving(context=None):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    server.asked, server.script, server.manner = [], [], {}
    server.url = f"{'http' if context is None else 'https'}://127.0.0.1:{server.server_port}/toy.csv.gz"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with serving() as one:
        yield one


def toy(server, **changes):
    """A dataset of this server, known by its checksum."""
    sha = f"sha256:{hashlib.sha256(BODY).hexdigest()}"
    made = Dataset(
        name="toy",
        holds="nothing of note",
        events=ROWS,
        size=len(BODY),
        url=server.url,
        page="",
        licence="CC0",
        reference="",
        checksum=sha,
    )
    return replace(made, **changes)


def by_itself(server):
    """The same without a checksum."""
    return toy(server, checksum="", size=0)


def get(dataset, **settings):
    """What is fetched, and how long it paused before each further try."""
    waits = []
    return fetch(dataset, "data", pause=waits.append, **settings), waits


def refused(dataset, kind=OSError, **settings):
    """The one line that ends the call; the final name is not there."""
    with pytest.raises(kind) as error:
        get(dataset, **settings)
    assert "\n" not in str(error.value)
    assert not Path("data/toy.csv.gz").exists()
    return str(error.value)


def begun(server):
    """A first call that gave up with so many bytes as CUT; what ended it."""
    server.script = [{"cut": CUT}, *[{"cut": 0}] * len(WAITS_S)]
    return refused(toy(server))


def files():
    return sorted(path.name for path in Path("data").iterdir())


def ranges(server):
    return [headers.get("Range") for headers in server.asked]


def whole():
    return files() == ["toy.csv.gz"] and Path("data/toy.csv.gz").read_bytes() == BODY


@pytest.mark.parametrize("known", [toy, by_itself])
def test_a_file_is_fetched_whole_and_nothing_else_is_left(server, known):
    seen = []
    fetched, waits = get(known(server), tell=lambda *state: seen.append(state))
    assert whole()
    assert fetched.path == Path("data/toy.csv.gz")
    assert not fetched.before
    assert (waits, ranges(server)) == ([], [None])
    fetching = [done for what, done, of in seen if what == "fetching" and of == len(BODY)]
    assert fetching == sorted(fetching)
    assert fetching[-1] == len(BODY)
    assert seen[-1] == ("verifying", len(BODY), len(BODY))


@pytest.mark.parametrize("manner", [{}, {"chunked": True}, {"tag": None, "modified": "Mon, 03 Feb 2014 10:00:00 GMT"}])
def test_a_cut_connection_is_gone_on_from(server, manner, caplog):
    server.manner = manner
    server.script = [{"cut": CUT}, {"cut": 100}]
    _, waits = get(toy(server))
    assert whole()
    assert waits == [1, 2]
    assert len(server.asked) == 3
    starts = [int(text[6:-1]) for text in ranges(server)[1:]]
    assert 0 < starts[0] <= CUT
    assert starts[0] < starts[1] <= starts[0] + 100
    assert server.asked[1]["If-Range"] == manner.get("modified", '"one"')
    assert "trying again in 1 s" in caplog.text


def test_a_call_that_gave_up_is_gone_on_from_by_the_next(server):
    says = begun(server)
    host = server.url.split("/")[2]
    assert says == (
        f"the connection to {host} ended at 10,000 of {len(BODY):,} bytes, at each of 6 tries; "
        "data/toy.csv.gz.part keeps 10,000 bytes, and the next call goes on from there"
    )
    assert files() == ["toy.csv.gz.part", "toy.csv.gz.part.json"]
    get(toy(server))
    assert whole()
    assert ranges(server)[-1] == "bytes=10000-"


def test_tries_that_gain_enough_go_on_for_longer(server, monkeypatch):
    monkeypatch.setattr("hepclf.data.transfer.GAIN", 1000)
    server.script = [{"cut": 1000}] * 12
    _, waits = get(toy(server))
    assert whole()
    assert waits == [1] * 12


@pytest.mark.parametrize("manner", [{"ranges": False}, {"tag": None}, {"tag": 'W/"one"'}])
def test_what_cannot_be_resumed_begins_anew(server, manner):
    server.manner = manner
    server.script = [{"cut": CUT}]
    get(toy(server))
    assert whole()
    asked = "bytes=10000-" if "ranges" in manner else None
    assert ranges(server) == [None, asked]


def test_what_cannot_be_resumed_is_said_to_begin_anew(server):
    server.manner = {"tag": None, "cut": CUT}
    assert refused(toy(server)).endswith("which file it is: the next call begins anew")


@pytest.mark.parametrize(
    "after",
    [
        {"tag": '"two"'},
        {"tag": '"two"', "ignores_if_range": True},
        {"body": BODY + b"more", "ignores_if_range": True},
        {"ignores_if_range": True, "tag": None, "total": 7},
        {"tag": '"one"', "range": f"bytes 9-{len(BODY) - 1}/{len(BODY)}"},
        {"tag": '"one"', "range": "of no sense"},
        {"status": 416},
    ],
)
def test_two_files_are_never_joined(server, after):
    """The first answer is of another file, which changes between two tries, whatever the server makes of If-Range."""
    first = {"tag": '"one"', "body": OTHER, "announce": len(BODY), "cut": CUT}
    second = {"body": BODY, **after}
    server.script = [first, second]
    server.manner = {"tag": '"two"'}
    get(by_itself(server))
    assert whole() or Path("data/toy.csv.gz").read_bytes() == BODY + b"more"


def test_a_part_from_another_place_is_not_gone_on_from(server):
    begun(server)
    fetch(toy(server), "data", source=f"{server.url}?mirror")
    assert whole()
    assert ranges(server)[-1] is None


@pytest.mark.parametrize("damage", ["", "{", "[]", '{"url": 1}', '{"other": 1}'])
def test_a_part_whose_note_is_damaged_begins_anew(server, damage):
    begun(server)
    Path("data/toy.csv.gz.part.json").write_text(damage)
    get(toy(server))
    assert whole()
    assert ranges(server)[-1] is None


def test_a_part_that_is_longer_than_its_file_begins_anew(server):
    begun(server)
    with Path("data/toy.csv.gz.part").open("ab") as file:
        file.write(bytes(len(BODY)))
    get(toy(server))
    assert whole()


def test_a_whole_part_is_verified_and_named_without_another_request(server):
    get(toy(server))
    Path("data/toy.csv.gz").rename("data/toy.csv.gz.part")
    note = {"url": server.url, "size": len(BODY), "stamp": '"one"'}
    Path("data/toy.csv.gz.part.json").write_text(json.dumps(note))
    get(toy(server))
    assert whole()
    assert len(server.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_answer_that_may_pass_is_tried_again_with_growing_pauses_and_not_for_ever(server, status):
    server.script = [{"status": status}] * 2
    assert get(toy(server))[1] == [1, 2]
    Path("data/toy.csv.gz").unlink()
    server.asked.clear()
    server.manner = {"status": status}
    waits = []
    with pytest.raises(OSError, match=rf"toy\.csv\.gz answers {status} .*, at each of 6 tries$"):
        fetch(toy(server), "data", pause=waits.append)
    assert tuple(waits) == WAITS_S
    assert len(server.asked) == 6
    assert files() == []


@pytest.mark.parametrize("status", [404, 403, 410, 416])
def test_an_answer_that_is_final_is_not_tried_again(server, status):
    server.manner = {"status": status}
    says = refused(toy(server))
    assert says.startswith(f"{server.url} answers {status} ")
    assert says.endswith("; if it has moved, name its new place")
    assert len(server.asked) == 1
    assert files() == []


def test_a_file_that_is_gone_leaves_what_came_of_it(server):
    server.script = [{"cut": CUT}, {"status": 404}]
    assert refused(toy(server)).endswith("keeps 10,000 bytes, and the next call goes on from there")
    get(toy(server))
    assert whole()


def test_a_server_that_is_not_there_is_tried_again(server):
    dataset = toy(server)
    with serving() as other:
        gone = other.url
    waits = []
    with pytest.raises(OSError, match=r"127\.0\.0\.1:\d+ cannot be reached: .*, at each of 6 tries"):
        fetch(dataset, "data", source=gone, pause=waits.append)
    assert tuple(waits) == WAITS_S


def test_a_redirection_is_followed(server):
    server.script = [{"status": 302, "location": f"{server.url}?moved"}]
    get(toy(server))
    assert whole()


def test_a_length_that_is_too_large_is_a_cut(server):
    server.manner = {"announce": len(BODY) + 1, "ranges": False}
    assert f"ended at {len(BODY):,} of {len(BODY) + 1:,} bytes, at each of 6" in refused(by_itself(server))


def test_a_length_that_is_too_small_is_found(server):
    server.manner = {"announce": len(BODY) - 5}
    assert "toy.csv.gz.part is no whole gzip file: " in refused(by_itself(server), ValueError)
    assert files() == []


def test_a_file_of_another_size_is_refused_before_it_comes_and_what_came_is_kept(server):
    begun(server)
    server.manner = {"body": BODY[:-5], "tag": '"two"'}
    says = refused(toy(server))
    rule = f"{server.url} must have {len(BODY):,} bytes, as the published file has"
    assert says.startswith(f"{rule}, not {len(BODY) - 5:,}; name")
    assert says.endswith("keeps 10,000 bytes, and the next call goes on from there")


@pytest.mark.parametrize("checksum", ["sha256", "adler32"])
def test_a_wrong_checksum_is_refused_and_its_file_removed(server, checksum):
    known = {"sha256": hashlib.sha256(BODY).hexdigest(), "adler32": f"{zlib.adler32(BODY):08x}"}[checksum]
    dataset = toy(server, checksum=f"{checksum}:{known}")
    damaged = bytearray(BODY)
    damaged[CUT] ^= 1
    server.script = [{"body": bytes(damaged)}]
    says = refused(dataset, ValueError)
    assert f"{checksum} of data/toy.csv.gz.part must be {known}, as published for toy, not " in says
    assert "; it is removed" in says
    assert files() == []
    assert get(dataset)[0].verified == f"its {checksum}"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (BODY[:CUT] + bytes([BODY[CUT] ^ 1]) + BODY[CUT + 1 :], "is no whole gzip file: "),
        (BODY[:-8] + bytes(8), "is no whole gzip file: CRC check failed"),
        (BODY[:-4], "is no whole gzip file: "),
        (b"<html>please sign in</html>", "is no whole gzip file: Not a gzipped file"),
        (b"", "must hold 2,000 events, as toy does, not 0"),
        (gzip.compress(TEXT + b"1,2,3\n"), "must hold 2,000 events, as toy does, not 2,001"),
    ],
    ids=["flipped", "crc", "short", "page", "empty", "longer"],
)
def test_without_a_checksum_the_file_itself_tells(server, body, says):
    server.manner = {"body": body}
    assert says in refused(by_itself(server), ValueError)
    assert files() == []


@pytest.mark.parametrize(("text", "header"), [(TEXT, False), (TEXT[:-1], False), (b"a,b,c\n" + TEXT, True)])
def test_rows_are_counted_with_and_without_a_header_and_a_last_newline(server, text, header):
    Path("a.gz").write_bytes(gzip.compress(text))
    assert verify(Path("a.gz"), replace(by_itself(server), header=header)) == "its CRC-32 and its 2,000 events"


@pytest.mark.parametrize(
    ("content", "checksum"),
    [
        (b"Wikipedia", "adler32:11e60398"),
        (b"abc", "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ],
)
def test_checksums_are_those_of_their_textbooks(server, content, checksum):
    Path("a").write_bytes(content)
    assert verify(Path("a"), toy(server, checksum=checksum))


def test_a_file_that_is_there_is_verified_and_not_fetched_again(server):
    get(toy(server))
    again, _ = get(toy(server))
    assert again.before
    assert len(server.asked) == 1


def test_a_file_that_is_there_and_is_another_is_left_alone(server):
    Path("data").mkdir()
    Path("data/toy.csv.gz").write_text("mine")
    with pytest.raises(
        ValueError, match=r"sha256 of data/toy\.csv\.gz must be .*; remove or rename it, or choose another"
    ):
        get(toy(server))
    assert Path("data/toy.csv.gz").read_text() == "mine"
    assert server.asked == []


def test_an_interruption_says_that_the_next_call_goes_on(server):
    def stop(what, done, of):
        if done >= CUT:
            raise KeyboardInterrupt

    server.script = [{"cut": CUT}, {}]
    says = refused(toy(server), KeyboardInterrupt, tell=stop)
    assert says == "interrupted; data/toy.csv.gz.part keeps 10,000 bytes, and the next call goes on from there"
    get(toy(server))
    assert whole()
    assert ranges(server)[-1] == "bytes=10000-"


def test_a_disk_that_is_too_small_is_known_before_anything_comes(server, monkeypatch):
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(len(BODY) - 1))
    says = refused(toy(server))
    assert f"needs {len(BODY):,} bytes, and the disk of data has {len(BODY) - 1:,} free; make room" in says
    assert files() == []


def test_what_fits_with_what_came_before_is_fetched(server, monkeypatch):
    begun(server)
    usage = namedtuple("usage", "free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(len(BODY) - CUT))
    get(toy(server))
    assert whole()


def test_a_full_disk_is_one_line_and_what_came_is_gone_on_from(server):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (CUT, hard))
        says = refused(toy(server))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert says == (
        "data/toy.csv.gz.part cannot be written: File too large; make room, or choose another folder; "
        "data/toy.csv.gz.part keeps 10,000 bytes, and the next call goes on from there"
    )
    assert len(server.asked) == 1
    get(toy(server))
    assert whole()
    assert ranges(server)[-1] == "bytes=10000-"


def test_no_space_left_is_said_once(server, tiny):
    """The server does not announce the length, so that the room cannot be checked before."""
    server.manner = {"chunked": True, "body": bytes(400_000)}
    with pytest.raises(
        OSError, match=r"^tiny/toy\.csv\.gz\.part cannot be written: No space left on device; make"
    ) as error:
        fetch(by_itself(server), tiny)
    assert str(error.value).count("No space") == 1
    assert len(server.asked) == 1


@pytest.mark.parametrize("name", ["toy.csv.gz.part", "toy.csv.gz.part.json"])
def test_a_link_that_somebody_put_in_the_way_leads_nowhere(server, name):
    Path("data").mkdir()
    Path("mine").write_text("mine")
    Path("data", name).symlink_to(Path("mine").absolute())
    if name.endswith(".part"):
        assert "toy.csv.gz.part cannot be written: it is a link or no plain file" in refused(toy(server))
        assert server.asked == []
    else:
        server.script = [{"cut": CUT}]
        get(toy(server))
        assert whole()
    assert Path("mine").read_text() == "mine"


def test_a_pipe_in_the_way_is_refused(server):
    Path("data").mkdir()
    os.mkfifo("data/toy.csv.gz.part")
    assert "toy.csv.gz.part cannot be written: it is a link or no plain file" in refused(toy(server))


@pytest.mark.parametrize("place", ["ftp://127.0.0.1:{port}/a", "file:///etc/hostname", "gopher://a/b"])
def test_a_redirection_to_another_protocol_is_refused_before_anything_is_sent(server, place):
    with serving() as other:
        server.manner = {"status": 302, "location": place.format(port=other.server_port)}
        says = refused(toy(server))
        assert other.asked == []
    assert "must be an http:// or https:// address" in says or "is not allowed" in says
    assert len(server.asked) == 1


def test_a_file_without_a_length_is_taken_up_to_twice_the_published_one(server):
    server.manner = {"chunked": True, "body": bytes(1_500_000)}
    says = refused(by_itself(server))
    assert says.startswith(f"{server.url} must have at most 1,000,000 bytes, not ")
    assert len(server.asked) == 1


def test_an_announced_length_is_bounded_too(server):
    server.manner = {"announce": 1_000_001}
    assert "must have at most 1,000,000 bytes, not 1,000,001 or more" in refused(by_itself(server))


def test_a_bomb_in_a_small_file_is_refused(server):
    server.manner = {"body": gzip.compress(bytes(10_000_000))}
    assert "must hold 2,000 events, not more than 8." in refused(by_itself(server), ValueError)


@pytest.mark.parametrize("part", ["head", "body"])
def test_a_server_that_drips_is_left(server, monkeypatch, part):
    """Every byte restarts the time limit of a socket."""
    monkeypatch.setattr("hepclf.data.web.TIMEOUT_S", 0.2)
    server.manner = {"drip": part}
    began = time.monotonic()
    assert re.search(r"\d bytes came in 0 s, at each of 6 tries", refused(toy(server)))
    assert time.monotonic() - began < 10


def test_a_folder_that_cannot_be_made_is_one_line(server):
    Path("data").write_text("a file")
    with pytest.raises(
        OSError, match=r"^data/toy\.csv\.gz\.part cannot be written: (File exists|Not a directory); make"
    ):
        get(toy(server))
    assert server.asked == []


def test_two_processes_do_not_write_one_file(server):
    Path("data").mkdir()
    hold = "import fcntl, sys; f = open(sys.argv[1], 'ab'); fcntl.flock(f, fcntl.LOCK_EX); print('held'); input()"
    words = [sys.executable, "-u", "-c", hold, "data/toy.csv.gz.part"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        assert refused(toy(server)) == "data/toy.csv.gz.part is being written by another process; wait for it to end"
        other.communicate("\n")
    get(toy(server))
    assert whole()


def test_a_file_system_without_locks_is_written_all_the_same(server, monkeypatch, caplog):
    def unsupported(*_):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unsupported)
    get(toy(server))
    assert whole()
    assert "data/toy.csv.gz.part cannot be locked (No locks available)" in caplog.text


@pytest.mark.parametrize(
    "source",
    [
        "file:///etc/hostname",
        "ftp://a/b",
        "toy",
        "http://",
        "http://a:b/c",
        "http://ä/",
        "http://a/b c",
        "http://a/b\nc",
    ],
)
def test_only_the_web_is_a_source(server, source):
    says = refused(toy(server), ValueError, source=source)
    assert says == f"the source of a dataset must be an http:// or https:// address, not {source!r}"
    assert not Path("data").exists()


@pytest.fixture
def secure(monkeypatch):
    """A server over TLS whose certificate only SSL_CERT_FILE makes trusted."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    words = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=127.0.0.1"
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([*words.split(), *names], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain("cert.pem", "key.pem")
    monkeypatch.setenv("no_proxy", "*")
    with serving(context) as one:
        yield one


def test_a_certificate_that_nobody_vouches_for_is_refused_at_once(secure):
    says = refused(toy(secure))
    host = secure.url.split("/")[2]
    assert says == f"{host} cannot prove that it is {host}: self-signed certificate"
    assert secure.asked == []


def test_a_trusted_server_may_not_send_on_to_one_in_the_clear(secure, server, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", "cert.pem")
    get(toy(secure))
    assert whole()
    Path("data/toy.csv.gz").unlink()
    secure.manner = {"status": 302, "location": server.url}
    assert f"{secure.url} leads to {server.url}, where anybody may change it" in refused(toy(secure))
    assert files() == []
