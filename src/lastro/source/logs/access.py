r"""Access logs: the two formats that have a name, and those that a server's own configuration writes out.

Rules:

1. `combined` is `host ident user [time] "request" status size "referer" "agent"`; without the last two it is `common`,
   which `combined` reads too: referer and agent are then missing.
2. `-` and an empty text mean that nothing was said: the group takes no part in the match, so the value is missing.
3. A quoted text may hold escaped quotes (`\"`); it is kept as it is written, escapes (`\x22`) included.
4. A request is `method target protocol`. One that is not (a TLS greeting, a lone word) still matches: what cannot be
   told apart stands whole in `target`, and `method` and `protocol` are missing.
5. What stands in `combined` has its name there in every format; other values go by the server's name for them.
6. A value ends where the text after it begins. Two values with nothing between them are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lastro.engine.scan import LineColumn, Moments
from lastro.model.text import _
from lastro.source.logs.shape import Broken, Shape

CLF_TIME = "%d/%b/%Y:%H:%M:%S %z"
"""How nginx and Apache write the time, in strptime notation: `10/Oct/2026:13:55:36 -0300`."""
TEXT = r'(?:[^"\\]|\\.)'
_CLF = "[0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}:[0-9]{2}:[0-9]{2}:[0-9]{2} [+-][0-9]{4}"
_NUMBER = r"[0-9]+(?:\.[0-9]+)?"
_LIST = r"[^ ,]+(?:(?:,| :) [^ ,]+)*"
_COMMON = (
    r"^(?P<host>[^ ]+) (?:-|(?P<ident>[^ ]+)) (?:-|(?P<user>.+?)) \[(?P<time>[^\]]+)\] "
    r'"(?:-|(?:(?P<method>[A-Z][A-Z-]*) )?'
    rf"(?P<target>{TEXT}+?)?"
    r'(?: (?P<protocol>HTTP/[0-9](?:\.[0-9])?))?)"'
    r" (?:-|(?P<status>[0-9]{3})) (?:-|(?P<size>[0-9]+))"
)
_LAST_TWO = rf' "(?:-|(?P<referer>{TEXT}+)?)" "(?:-|(?P<agent>{TEXT}+)?)"'
PATTERNS = {"common": rf"{_COMMON}$", "combined": rf"{_COMMON}(?:{_LAST_TWO})?$"}
"""The regular expressions of the formats that have a name."""

_NAMES = {
    "remote_addr": "host",
    "remote_user": "user",
    "time_local": "time",
    "time_iso8601": "time",
    "msec": "time",
    "body_bytes_sent": "size",
    "http_referer": "referer",
    "http_user_agent": "agent",
    "request_method": "method",
    "request_uri": "target",
    "server_protocol": "protocol",
}
_SHAPES = {
    "time_local": _CLF,
    "status": "[0-9]{3}",
    "body_bytes_sent": "[0-9]+",
    "bytes_sent": "[0-9]+",
    "request_length": "[0-9]+",
    "request_time": _NUMBER,
    "msec": _NUMBER,
    "connection": "[0-9]+",
    "connection_requests": "[0-9]+",
    "remote_user": ".+?",
    "remote_port": "[0-9]+",
    "server_port": "[0-9]+",
}
_FORMATS = {"time_local": CLF_TIME, "msec": "epoch"}
_REQUESTED = ("method", "target", "protocol")
_PATH_AND_QUERY = ("target", "query")


@dataclass(frozen=True, slots=True)
class Value:
    """A value within a format: its columns, the shape it has if it has one, and how it writes a moment."""

    columns: tuple[str, ...]
    shape: str | None = None
    moment: str | None = None
    bare: str | None = None
    """The pattern that it is as a whole, where it brings its own delimiters."""


Piece = str | Value


def nginx(text: str) -> Shape:
    """What a `log_format` of nginx writes: its string, or the whole directive. Raises `Broken`."""
    if text.strip().startswith("log_format"):
        if re.match(r"\s*log_format\s+\S+\s+escape=json\b", text):
            raise Broken(_("lines written with escape=json are JSON"), _("write format: json"))
        strings = re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", text)
        text = "".join(one or other for one, other in strings)
    return _shape(list(_nginx_pieces(text)))


def _nginx_pieces(text: str) -> Iterator[Piece]:
    at = 0
    for found in re.finditer(r"\$(?:\{(\w+)\}|(\w+))", text):
        yield _unescaped(text[at : found.start()])
        at = found.end()
        variable = found[1] or found[2]
        if variable == "request":
            yield Value(_REQUESTED)
        else:
            shape = _SHAPES.get(variable) or (_LIST if variable.startswith("upstream_") else None)
            yield Value((_NAMES.get(variable, variable),), shape, _FORMATS.get(variable))
    yield _unescaped(text[at:])


_LETTERS: dict[str, tuple[str, str | None]] = {
    "a": ("host", None),
    "A": ("local_address", None),
    "B": ("size", "[0-9]+"),
    "b": ("size", "[0-9]+"),
    "D": ("time_us", "[0-9]+"),
    "f": ("file", None),
    "h": ("host", None),
    "H": ("protocol", None),
    "I": ("bytes_in", "[0-9]+"),
    "k": ("keepalive", "[0-9]+"),
    "l": ("ident", None),
    "L": ("log_id", None),
    "m": ("method", None),
    "O": ("bytes_out", "[0-9]+"),
    "p": ("port", "[0-9]+"),
    "P": ("pid", "[0-9]+"),
    "q": ("query", None),
    "R": ("handler", None),
    "s": ("status", "[0-9]{3}"),
    "S": ("bytes_total", "[0-9]+"),
    "T": ("time_s", "[0-9]+"),
    "u": ("user", ".+?"),
    "U": ("target", None),
    "v": ("server", None),
    "V": ("server_name", None),
    "X": ("connection", "[X+-]"),
}
_ARGUED = {
    "i": "",
    "o": "out_",
    "C": "cookie_",
    "e": "env_",
    "n": "note_",
    "x": "",
    "^ti": "trailer_",
    "^to": "trailer_out_",
}
_DIRECTIVE = re.compile(r"%U%q|%(?:%|(?:!?[0-9,]+)?([<>]?)(?:\{([^}]*)\})?(\^[A-Za-z]{2}|[A-Za-z]))")
_CLOCK = {
    "%Y": "[0-9]{4}",
    "%b": "[A-Z][a-z]{2}",
    "%B": "[A-Z][a-z]+",
    "%a": "[A-Z][a-z]{2}",
    "%A": "[A-Z][a-z]+",
    "%z": r"[+-][0-9]{2}:?[0-9]{2}",
    "%f": "[0-9]+",
    **dict.fromkeys(("%m", "%d", "%H", "%M", "%S"), "[0-9]{2}"),
}
_CLOCK_ALIASES = {"%T": "%H:%M:%S", "%F": "%Y-%m-%d", "%R": "%H:%M", "%D": "%m/%d/%y", "%e": "%d"}
_EPOCHS = {"sec": "epoch", "msec": "epoch_ms", "usec": "epoch_us"}


def apache(text: str) -> Shape:
    """What a `LogFormat` of Apache writes: its string, or the whole directive. Raises `Broken`."""
    if found := re.fullmatch(r'\s*LogFormat\s+"((?:[^"\\]|\\.)*)"\s*\S*\s*', text):
        text = found[1]
    return _shape(list(_apache_pieces(text)))


def _apache_pieces(text: str) -> Iterator[Piece]:
    at = 0
    for found in _DIRECTIVE.finditer(text):
        yield _apache_literal(text[at : found.start()])
        at = found.end()
        match found[0]:
            case "%%":
                yield "%"
            case "%U%q":
                yield Value(_PATH_AND_QUERY)
            case _:
                yield _apache_value(found[0], found[1], found[2], found[3])
    yield _apache_literal(text[at:])


def _apache_literal(text: str) -> str:
    if "%" in text:
        raise _unknown("%")
    return _unescaped(text)


def _apache_value(written: str, which: str, argument: str | None, letter: str) -> Value:
    match letter:
        case "r":
            return Value(_REQUESTED)
        case "t":
            return _apache_time(argument)
        case "T" if argument in ("ms", "us"):
            return Value((f"time_{argument}",), "[0-9]+")
        case "s" if which == "<":
            return Value(("status_original",), "[0-9]{3}")
        case _ if letter in _ARGUED and argument:
            header = re.sub(r"[^a-z0-9]+", "_", argument.lower()).strip("_")
            return Value((_ARGUED[letter] + {"user_agent": "agent"}.get(header, header),))
        case _ if letter in _LETTERS:
            name, shape = _LETTERS[letter]
            return Value((name,), shape)
        case _:
            raise _unknown(written)


def _apache_time(argument: str | None) -> Value:
    if argument is None:
        return Value(("time",), moment=CLF_TIME, bare=r"\[([^\]]+)\]")
    form = argument.removeprefix("begin:").removeprefix("end:")
    if form in _EPOCHS:
        return Value(("time",), "[0-9]+", _EPOCHS[form])
    if form in ("msec_frac", "usec_frac"):
        return Value((form,), "[0-9]+")
    for alias, meaning in _CLOCK_ALIASES.items():
        form = form.replace(alias, meaning)
    pieces = re.findall(r"%.|[^%]+", form)
    unknown = [piece for piece in pieces if piece.startswith("%") and piece not in _CLOCK]
    if unknown or not pieces:
        raise _unknown(unknown[0] if unknown else "%{}t")
    shape = "".join(_CLOCK.get(piece) or quoted(piece) for piece in pieces)
    return Value(("time",), shape, form)


def _unknown(directive: str) -> Broken:
    return Broken(
        _("the format has a directive that is not known: {directive}").format(directive=directive[:20]),
        _("leave it out, or write the format as a pattern: (?P<host>[^ ]+) …"),
    )


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"t": "\t", "n": "\n"}.get(found[1], found[1]), text, flags=re.DOTALL)


def quoted(literal: str) -> str:
    """The text as a regular expression."""
    return re.sub(r"([^\w ])", r"\\\1", literal, flags=re.ASCII) if literal.isascii() else re.escape(literal)


def _shape(pieces: Sequence[Piece]) -> Shape:
    """Literals and values as one pattern; the columns are its groups."""
    merged = [piece for piece in pieces if piece != ""]
    if not any(isinstance(piece, Value) for piece in merged):
        raise Broken(_("the format names no values"), _("copy it from the server's configuration, as it stands there"))
    pattern = "^"
    columns: list[LineColumn] = []
    moments: list[Moments] = []
    taken: set[str] = set()
    for index, piece in enumerate(merged):
        if isinstance(piece, str):
            pattern += quoted(piece)
            continue
        before = merged[index - 1] if index else ""
        after = merged[index + 1] if index + 1 < len(merged) else ""
        pattern += _value_pattern(piece, before, after)
        for name in _free(piece.columns, taken):
            columns.append(LineColumn(name, len(columns) + 1))
            if piece.moment:
                moments.append(Moments(name, piece.moment))
    return Shape(pattern + "$", tuple(columns), tuple(moments))


def _free(names: Sequence[str], taken: set[str]) -> list[str]:
    found = []
    for name in names:
        chosen = next(each for each in (name, *(f"{name}_{n}" for n in range(2, 1000))) if each not in taken)
        taken.add(chosen)
        found.append(chosen)
    return found


def _value_pattern(value: Value, before: Piece, after: Piece) -> str:
    if value.bare:
        return value.bare
    if isinstance(after, Value) and value.shape is None:
        raise Broken(
            _("two values of the format touch: {first} and {second}").format(
                first=value.columns[0], second=after.columns[0]
            ),
            _("nothing tells where one ends; change the server's format"),
        )
    opened = before[-1:] if isinstance(before, str) else ""
    closing = after[:1] if isinstance(after, str) else ""
    text = TEXT if opened == closing == '"' else rf"[^{quoted(closing)}]" if closing else "."
    if value.columns == _REQUESTED:
        return rf"(?:-|(?:([A-Z][A-Z-]*) )?({text}+?)?(?: (HTTP/[0-9](?:\.[0-9])?))?)"
    if value.columns == _PATH_AND_QUERY:
        return rf"([^?{quoted(closing)}]*)(\?{text}*)?"
    return rf"(?:-|({value.shape or text + '+'})?)" if closing in '"' else rf"(?:-|({value.shape or text + '+'}))"
