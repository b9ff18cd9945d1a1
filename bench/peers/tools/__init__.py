"""One program for each tool, run by the tool's own interpreter: `python -m bench.peers.tools.NAME ARGUMENT…`.

Each says at its end, as one line of JSON, what it found (`said`). Nothing here is imported from outside the standard
library, for every interpreter reads it.
"""

from __future__ import annotations

import json


def said(**found: object) -> None:
    """The last line of a program: `counts` of failing rows by check and how many rows were `set_aside`, or the columns
    that `drifted`.
    """
    print(json.dumps(found))
