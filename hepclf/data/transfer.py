"""A file from a web server, in as many tries as needed; each try continues where the last one ended."""

from __future__ import annotations

import logging
import re
import shutil
import ssl
from collections.abc import Callable, Iterator
from http.client import HTTPException, HTTPResponse
from typing import NamedTuple
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import Request

from hepclf.data.partial import Partial, ServerFile
from hepclf.data.web import RedirectionError, answer

BLOCK = 1 << 20
WAITS_S = (1.0, 2.0, 4.0, 8.0, 16.0)  # before further tries; they begin anew after a try that gained enough
GAIN = 1 << 24  # bytes that are enough
RANGE = 416
PASSING = (408, 425, 429)  # of the answers that blame the request, those that may be others later

Tell = Callable[[str, int, int | None], None]  # what is going on, bytes that are done, and of how many

log = logging.getLogger(__name__)


class CutError(Exception):
    """A try that ended early for a reason that may pass."""


class Size(NamedTuple):
    """The size of a file in bytes, if it is known, and the largest that is taken."""

    known: int | None
    largest: int


def download(url: str, partial: Partial, *, size: Size, tell: Tell, pause: Callable[[float], None]) -> None:
    """Fetch all bytes of this file.

    The transfer continues if the server confirms that its file is unchanged; otherwise it starts again.
    """
    waits = iter(WAITS_S)
    while True:
        before = partial.length
        try:
            _attempt(url, partial, size, tell)
            return
        except CutError as cut:
            if partial.length - before >= GAIN:
                waits = iter(WAITS_S)
            wait = next(waits, None)
            if wait is None:
                raise OSError(f"{cut}, at each of {len(WAITS_S) + 1} tries") from cut
            log.warning("%s; trying again in %g s", cut, wait)
            pause(wait)


def _attempt(url: str, partial: Partial, size: Size, tell: Tell) -> None:
    """One try: the rest of the file, or all of it."""
    origin = partial.origin
    previous = None
    if origin is not None and origin.url == url and partial.length:
        previous = origin
    if previous and partial.length == previous.size:
        return  # the last call ended before the file had its name
    with _answer(url, previous, partial) as response:
        source = _origin(url, response, size.known)
        if previous and response.status == 206:
            if (total := _continues(response, previous, partial.length)) == 0:
                partial.empty()
                raise CutError(f"{url} is another file than before, so that it is fetched from its beginning")
            source = ServerFile(url, previous.size or total, previous.stamp)
        elif previous:
            log.warning("%s comes from its beginning: it has changed, or its server cannot resume", url)
            previous = None
        done = partial.length if previous else 0
        _check_room(source, partial, done, size)
        if not previous:
            partial.begin(source)
        for done in partial.add(_blocks(response, source, partial.length)):
            _check_largest(source, done, size)
            tell("fetching", done, source.size)
    if partial.length < (source.size or 0):
        raise CutError(f"the connection to {_host(url)} ended at {partial.length:,} of {source.size:,} bytes")


def _answer(url: str, previous: ServerFile | None, partial: Partial) -> HTTPResponse:
    """The server's answer: the whole file, or the bytes after those that were fetched before."""
    headers = {"User-Agent": "hepclf", "Accept-Encoding": "identity"}
    if previous:
        headers |= {"Range": f"bytes={partial.length}-", "If-Range": previous.stamp}
    try:
        return answer(Request(url, headers=headers))
    except RedirectionError as error:
        raise OSError(f"{error}; name another place") from error
    except HTTPError as error:
        error.close()
        says = f"{url} answers {error.code} {error.reason}".strip()
        if previous and error.code == RANGE:
            partial.empty()
            raise CutError(f"{says} to what came so far, so that it is fetched from its beginning") from error
        if error.code in PASSING or error.code >= 500:
            raise CutError(says) from error
        raise OSError(f"{says}; if it has moved, name its new place") from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        if isinstance(reason, ssl.SSLCertVerificationError):
            raise OSError(f"{_host(url)} cannot prove that it is {_host(url)}: {reason.verify_message}") from error
        raise CutError(f"{_host(url)} cannot be reached: {reason}") from error


def _origin(url: str, response: HTTPResponse, size: int | None) -> ServerFile:
    tag, length = response.headers.get("ETag", ""), response.headers.get("Content-Length", "")
    # If-Range does not accept a weak tag (W/"...").
    stamp = tag if tag.startswith('"') else response.headers.get("Last-Modified", "")
    if length.isdecimal() and not response.chunked:
        size = int(length)
    return ServerFile(url, size, stamp)


def _continues(response: HTTPResponse, previous: ServerFile, length: int) -> int | None:
    """Size of the whole file if the answer continues the previous one (None: not stated); 0 if it does not continue."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range", ""))
    header = "ETag" if previous.stamp.startswith('"') else "Last-Modified"
    if not match or int(match[1]) != length or response.headers.get(header, previous.stamp) != previous.stamp:
        return 0
    if match[2] == "*":
        return None
    total = int(match[2])
    if previous.size not in (None, total):
        return 0
    return total


def _check_largest(source: ServerFile, length: int, size: Size) -> None:
    """Refuse a file that is too large, whether its server says so or goes on sending."""
    if length > size.largest:
        raise OSError(
            f"{source.url} must have at most {size.largest:,} bytes, not {length:,} or more; name another place"
        )


def _check_room(source: ServerFile, partial: Partial, done: int, size: Size) -> None:
    """Refuse a file of the wrong size, or one for which the disk has no room, before anything is lost."""
    if size.known is not None and source.size not in (None, size.known):
        raise OSError(
            f"{source.url} must have {size.known:,} bytes, as the published file has, not {source.size:,}; "
            "name another place"
        )
    _check_largest(source, source.size or 0, size)
    free = shutil.disk_usage(partial.path.parent).free
    if (source.size or 0) - done > free:
        raise OSError(
            f"{source.url} needs {(source.size or 0) - done:,} bytes, and the disk of {partial.path.parent} has "
            f"{free:,} free; make room, or choose another folder"
        )


def _blocks(response: HTTPResponse, source: ServerFile, length: int) -> Iterator[bytes]:
    """The bytes of the answer as they arrive, so that an interruption loses nothing; never more than the file holds."""
    while source.size is None or length < source.size:
        block_size = BLOCK
        if source.size is not None:
            block_size = min(BLOCK, source.size - length)
        try:
            block = response.read1(block_size)
        except (OSError, HTTPException) as error:
            raise CutError(f"the connection to {_host(source.url)} broke off at {length:,} bytes: {error}") from error
        if not block:
            return
        length += len(block)
        yield block


def _host(url: str) -> str:
    return urlsplit(url).netloc
