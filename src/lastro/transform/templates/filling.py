"""Filling: a template with its parameters is the message, character for character.

Rules:

1. A template's text has a wildcard for each parameter, in order. Every text between `<` and `>` that is named as a
   kind is a wildcard, since messages that hold one have it as a parameter.
2. A word that the template has as `<*>` is one parameter, whatever was masked in it; so are the spaces of `<space>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lastro.transform.templates.drain import Words
from lastro.transform.templates.masking import ANYTHING, SPACE, WILDCARD

Piece = str | int
"""A part of a parameter: a text, or the place of a masked value."""
Recipe = tuple[tuple[Piece, ...], ...]
"""How each parameter is put together."""


def recipe(text: Words, template: Words) -> Recipe:
    """How the parameters of a message come from its masked values. Raises `ValueError` if the template does not fit."""
    place = 0
    found: list[tuple[Piece, ...]] = []
    spaces = zip(("", *text.spaces), ("", *template.spaces), strict=True)
    for word, kept, (space, between) in zip(text.words, template.words, spaces, strict=True):
        if not _fits(space, between, SPACE) or not _fits(word, kept, ANYTHING):
            raise ValueError
        found += [] if space == between else [(space,)]
        pieces = tuple(_pieces(word, place))
        masked = [piece for piece in pieces if isinstance(piece, int)]
        place += len(masked)
        found += [(piece,) for piece in masked] if word == kept else [pieces]
    return tuple(found)


def whole(text: str) -> Recipe:
    """The message itself, as the only parameter."""
    return (tuple(_pieces(text, 0)),)


def parameters(made: Recipe, values: Sequence[str]) -> list[str]:
    """The parameters of one message."""
    return ["".join(values[piece] if isinstance(piece, int) else piece for piece in pieces) for pieces in made]


def fill(template: str, given: Sequence[str]) -> str:
    """The message: the template's text with the parameters in place of its wildcards.

    >>> fill("payment <num> failed", ["4711"])
    'payment 4711 failed'
    """
    between = WILDCARD.split(template)
    return between[0] + "".join(value + text for value, text in zip(given, between[1:], strict=True))


def _fits(own: str, kept: str, wildcard: str) -> bool:
    return kept in (own, wildcard)


def _pieces(word: str, place: int) -> Iterator[Piece]:
    for index, text in enumerate(WILDCARD.split(word)):
        if index:
            yield place + index - 1
        if text:
            yield text
