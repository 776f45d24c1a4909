"""Connections to the board: an idle one is closed to make room for a new one.

Any program on this computer can open connections and send nothing. With a fixed limit, a few
hundred of them would shut out the page; without a limit, they would use up the files that a process
may open. So the number is limited, and the connection that has been idle longest is
closed for a new one. One whose request is being answered is never closed.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio

MAX_CONNECTIONS = 100
"""Connections that are open at once; a browser uses six."""


class LimitedProtocol(H11Protocol):
    """A connection that closes the one idle longest when there are too many."""

    _numbers = itertools.count()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the new connection, and make room for it."""
        super().connection_made(transport)
        self.last_used = next(self._numbers)
        if len(self.connections) > MAX_CONNECTIONS:
            others = (one for one in self.connections if isinstance(one, LimitedProtocol))
            idle = [one for one in others if one is not self and one.is_idle]
            if idle:
                min(idle, key=lambda one: one.last_used).transport.abort()

    def data_received(self, data: bytes) -> None:
        """Note that the connection is in use, then read the data."""
        self.last_used = next(self._numbers)
        super().data_received(data)

    @property
    def is_idle(self) -> bool:
        """Whether no request of it is being answered; an unfinished head counts as idle."""
        return self.cycle is None or self.cycle.response_complete
