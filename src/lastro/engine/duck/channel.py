"""The channel between a process and its nursery: what the two say to each other.

A message is three integers: an order, a child's number, and how it ended (its exit code, negative for a signal). With
`BEAR` come the two descriptors that are the child's input and output.
"""

from __future__ import annotations

import struct

MESSAGE = struct.Struct("=iii")
BEAR, KILL, BORN, ENDED = 1, 2, 3, 4
