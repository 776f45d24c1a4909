"""Requests to servers: an honest user agent, a rate limit, retries, bounds on size and time."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Self, TypeVar
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError, InvalidHeader, MaxRetryError
from urllib3.util.retry import Retry

from patrolplan.errors import FetchError

T = TypeVar("T")
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 504})  # The request is repeated
MEANINGFUL_STATUSES = frozenset({200, 404, 503})  # Statuses that are an answer to the caller
MAX_WAIT_SECONDS = 600
MAX_ANSWER_BYTES, MAX_FILE_BYTES = 64 * 2**20, 512 * 2**20
CHUNK_BYTES = 65536


class UnusableError(Exception):
    """An answer that cannot be used now, and how long the server asks to wait, if it does."""

    def __init__(self, *, why: str, wait_seconds: float | None = None) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Answer:
    """A server's answer: its status (200, 404 or 503) and its whole body."""

    status: int
    body: bytes


@dataclass
class WebClient:
    """One session with servers of open data."""

    # A longer Retry-After of the server takes precedence over the waits of `retry_policy`.
    contact: str = ""
    pause_seconds: float = 1 / 12  # before each request: data.police.uk allows 15 a second
    retry_policy: Retry = field(
        default_factory=lambda: Retry(
            total=8, backoff_factor=1, backoff_max=60, backoff_jitter=0.5, allowed_methods=None
        )
    )
    timeout_seconds: tuple[float, float] = (10, 60)  # for a connection, each piece of an answer
    answer_seconds: float = 300  # for all of it
    sleep: Callable[[float], None] = time.sleep

    def __post_init__(self) -> None:
        self.agent = build_user_agent(self.contact)
        self._session = requests.Session()
        self._session.headers["User-Agent"] = self.agent

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def fetch(
        self,
        url: str,
        fields: Mapping[str, str],
        read: Callable[[Answer], T],
        *,
        what: str,
        is_large: bool = False,
    ) -> T:
        """Repeat a request until `read` accepts its answer, rather than raise `UnusableError`."""
        # Fields are posted: an outline may be too long for an address. A large answer is a whole
        # file, which may take long to begin.
        method, data = "POST" if fields else "GET", dict(fields) or None
        max_bytes = MAX_FILE_BYTES if is_large else MAX_ANSWER_BYTES
        connect, piece = self.timeout_seconds
        timeout = (connect, self.answer_seconds if is_large else piece)
        retries = self.retry_policy
        while True:
            self.sleep(self.pause_seconds)
            try:
                with self._session.request(
                    method, url, data=data, timeout=timeout, stream=True, allow_redirects=False
                ) as response:
                    return read(self._receive(response, url, what, max_bytes))
            except (requests.RequestException, HTTPError, UnusableError) as error:
                wait = error.wait_seconds if isinstance(error, UnusableError) else None
                if wait is not None and wait > MAX_WAIT_SECONDS:
                    why = f"asks to wait {wait / 60:.0f} minutes"
                    raise FetchError(format_failure(url, what, why)) from None
                try:
                    retries = retries.increment("GET", url, error=error)
                except MaxRetryError:
                    # Without the addresses and objects that libraries print
                    why = f"cannot be reached, or broke off ({type(error).__name__})"
                    why = str(error) if isinstance(error, UnusableError) else why
                    raise FetchError(format_failure(url, what, why)) from None
            self.sleep(max(retries.get_backoff_time(), retries.backoff_factor, wait or 0))

    def _receive(self, response: requests.Response, url: str, what: str, max_bytes: int) -> Answer:
        """The whole answer, read piece by piece within its bounds."""
        status, wait = response.status_code, None
        if status in Retry.RETRY_AFTER_STATUS_CODES:
            with suppress(InvalidHeader):
                wait = self.retry_policy.get_retry_after(response.raw)
        if status in TRANSIENT_STATUSES or wait is not None:
            raise UnusableError(why=f"answers {status}", wait_seconds=wait)
        if status not in MEANINGFUL_STATUSES:
            raise FetchError(format_failure(url, what, f"refuses with the status {status}"))
        deadline = time.monotonic() + self.answer_seconds
        body = bytearray()
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += piece
            if len(body) > max_bytes:
                raise UnusableError(why=f"sends more than {max_bytes / 2**20:.0f} MB")
            if time.monotonic() > deadline:
                raise UnusableError(why=f"had not finished after {self.answer_seconds:.0f} s")
        return Answer(status, bytes(body))


def build_user_agent(contact: str) -> str:
    """The user agent that servers see."""
    printable = "".join(sign for sign in contact if sign.isascii() and sign.isprintable())
    return f"patrolplan/{version('patrolplan')}" + (f" (+{printable})" if printable else "")


def format_failure(url: str, what: str, why: str) -> str:
    """The message when something could not be fetched."""
    remedy = "What was downloaded so far is saved; run `patrolplan fetch` again later to carry on."
    return f"{urlsplit(url).netloc}: {what} could not be fetched, the server {why}. {remedy}"
