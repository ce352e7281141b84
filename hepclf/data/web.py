"""Requests to web servers, which may send the reader neither to other protocols nor into endless waiting."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPConnection, HTTPMessage, HTTPResponse, HTTPSConnection
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import HTTPHandler, HTTPRedirectHandler, HTTPSHandler, Request, build_opener

TIMEOUT_S = 60.0  # of silence
SLOWEST = 60_000  # bytes that must arrive in this time


class RedirectionError(Exception):
    """A server sends its reader to a place that is not trusted."""


def is_address(url: str) -> bool:
    """Whether this is an address of the web as it is sent: without spaces, control characters and other alphabets."""
    try:
        parts = urlsplit(url)
        is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_web and all("!" <= sign <= "~" for sign in url)


def answer(request: Request) -> HTTPResponse:
    """The server's answer; urllib's own opener would also read files of this machine and ask FTP servers."""
    response: HTTPResponse = build_opener(_Redirection, _Web, _SecureWeb).open(request, timeout=TIMEOUT_S)
    return response


class _Redirection(HTTPRedirectHandler):
    """Checks the new place before anything is sent there."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        fp.close()
        url = req.full_url
        if not is_address(newurl):
            raise RedirectionError(f"{url} leads to {newurl[:200]!r}, which must be an http:// or https:// address")
        if url.startswith("https:") and not newurl.startswith("https:"):
            raise RedirectionError(f"{url} leads to {newurl}, where anybody may change it on its way")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Paced(io.RawIOBase):
    """A server's bytes. The time limit of a socket begins anew with each byte, so that a drip could last for ever."""

    def __init__(self, raw: io.RawIOBase) -> None:
        self._raw = raw
        self._began, self._count = time.monotonic(), 0

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Number of bytes read; a TimeoutError if too few of them came."""
        count = self._raw.readinto(buffer)
        self._count += count or 0
        seconds = time.monotonic() - self._began
        if seconds >= TIMEOUT_S:
            if count and self._count < SLOWEST:
                raise TimeoutError(f"{self._count:,} bytes came in {seconds:.0f} s")
            self._began, self._count = time.monotonic(), 0
        return int(count or 0)

    def close(self) -> None:
        """Close the socket's file."""
        self._raw.close()
        super().close()


class _PacedResponse(HTTPResponse):
    def __init__(self, sock: socket.socket, *arguments: Any, **settings: Any) -> None:
        super().__init__(sock, *arguments, **settings)
        self.fp = io.BufferedReader(_Paced(self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _PacedResponse


class _SecureConnection(HTTPSConnection):
    response_class = _PacedResponse


class _Web(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Connection, req)


class _SecureWeb(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, req)
