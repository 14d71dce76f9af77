"""Order: what must wait for the database holds back what came after it, and nothing else."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import Any

from stack.realtime.protocol import Message

_LONGEST_BACKLOG = 1000

Work = Coroutine[Any, Any, None]


class Turns:
    """Messages of one channel, one after the other.

    `react` handles a message at once, or returns work that takes time; `fail` is called while an
    error of such work is handled.
    """

    __slots__ = ("_backlog", "_fail", "_is_over", "_react", "_task")

    def __init__(
        self, react: Callable[[Message], Work | None], fail: Callable[[Exception], None]
    ) -> None:
        self._react, self._fail = react, fail
        self._backlog: deque[Message] | None = None
        self._task: asyncio.Task[None] | None = None
        self._is_over = False

    def take(self, message: Message) -> bool:
        """Handle a message in its turn; False when too many wait already."""
        if self._is_over:
            return True
        if self._task is None:
            work = self._react(message)
            if work is not None:
                self._task = asyncio.create_task(self._work(work))
            return True
        if self._backlog is None:
            self._backlog = deque()
        self._backlog.append(message)
        return len(self._backlog) <= _LONGEST_BACKLOG

    def stop(self) -> None:
        """Drop what waits, and what is under way unless it is what stops us."""
        self._is_over = True
        self._backlog = None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    async def _work(self, first: Work) -> None:
        work: Work | None = first
        while work is not None:
            try:
                await work
                work = None
                while self._backlog and work is None:
                    work = self._react(self._backlog.popleft())
            except Exception as error:
                work = None
                self._fail(error)
        self._task = None
