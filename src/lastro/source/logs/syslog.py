"""Syslog: a line as RFC 3164 and RFC 5424 have it, and as daemons write it to files.

Rules:

1. The priority `<34>` becomes `facility` and `severity`, by their names. Files mostly lack it: both are then missing.
2. RFC 3164 times have no year, which follows from when the file was last changed; daemons that write ISO 8601 in that
   place are read, too. The tag is `app[pid]:`; a line without one is all message.
3. RFC 5424: `-` is nothing, and structured data becomes a JSON object of objects.
"""

from __future__ import annotations

from lastro.engine.scan import LineColumn
from lastro.source.logs.shape import Shape

_PRIORITY = "(1[0-8][0-9]|19[01]|[1-9]?[0-9])"
ISO = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})"
BSD = r"[A-Z][a-z]{2} (?: [1-9]|[0-9]{2}) [0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_PARAMETER = r'[^ \]="]+="(?:[^"\\\]]|\\.)*"'

RFC3164 = Shape(
    rf"^(?:<{_PRIORITY}>)?({BSD}|{ISO}) ([^ ]+) (?:([^ :\[\]]+)(?:\[([^\]]*)\])?:(?: |$))?(.*)$",
    (
        LineColumn("facility", 1, "facility"),
        LineColumn("severity", 1, "severity"),
        LineColumn("time", 2, "dated"),
        LineColumn("host", 3),
        LineColumn("app", 4),
        LineColumn("pid", 5),
        LineColumn("message", 6),
    ),
)
RFC5424 = Shape(
    rf"^<{_PRIORITY}>[1-9][0-9]{{0,2}} (?:-|({ISO})) (?:-|([^ ]+)) (?:-|([^ ]+)) (?:-|([^ ]+)) (?:-|([^ ]+)) "
    rf"(?:-|((?:\[[^ \]=\"]+(?: {_PARAMETER})*\])+))(?: \x{{FEFF}}?(.*))?$",
    (
        LineColumn("facility", 1, "facility"),
        LineColumn("severity", 1, "severity"),
        LineColumn("time", 2),
        LineColumn("host", 3),
        LineColumn("app", 4),
        LineColumn("pid", 5),
        LineColumn("message_id", 6),
        LineColumn("structured", 7, "structured"),
        LineColumn("message", 8),
    ),
)
