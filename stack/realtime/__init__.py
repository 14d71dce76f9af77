"""Realtime: channels with broadcast, presence and changes of tables.

From the wire inwards: `sockets` (one connection) → `protocol` (frames) → `channels` (one topic of
one connection; `joining`, `tokens`, `limits`, `presence`) → `hub` (topics and members).
From the database outwards: `broadcast` (realtime.messages) and `changes/` (replication) → `hub`,
`channels`. `authorization` asks the policies, `intake` takes broadcasts by HTTP.
"""

from stack.realtime.service import RealtimeService

__all__ = ["RealtimeService"]
