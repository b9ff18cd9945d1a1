"""How the last round went, `.lastro/round.json`, for `lastro status`: outcomes, error codes and words, no values.

Rules:

1. Each dataset's last step stays until another round has one of it.
2. It is no record: what cannot be read is as if there had been no round.
3. Where people are erased, they leave the words of errors.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lastro.model.durable import write_durably
from lastro.model.status import Round, Step
from lastro.workspace import configuration

FORMAT = 1
FILE = Path(".lastro") / "round.json"


def remember(root: Path, played: Round) -> None:
    """Keeps the round's steps; those of datasets that were not in it stay. Raises `WriteFailed`."""
    steps = {step.dataset: step for step in (*steps_of(root), *played.steps)}
    record = {"lastro_round": FORMAT, **played.to_dict(), "steps": [step.to_dict() for step in steps.values()]}
    with configuration.writing(root / FILE):
        write_durably(root / FILE, json.dumps(record, ensure_ascii=False).encode() + b"\n", mode=0o600)


def take_out(root: Path, left: Callable[[Step], Step], text: Callable[[str], str]) -> None:
    """Writes the last round anew with what is `left` of each step, and all its other texts as `text` gives them.

    Raises `WriteFailed`.
    """
    try:
        found = (root / FILE).read_bytes()
        record = json.loads(found)
        record["steps"] = [left(Step.from_dict(step)).to_dict() for step in record["steps"]]
        for part in ("looks", "checks", "notes"):
            record[part] = [_told(each, text) for each in record.get(part, ())]
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return  # as `steps_of`: what cannot be read is no record; its bytes are searched like all others
    content = json.dumps(record, ensure_ascii=False).encode() + b"\n"
    if content != found:
        with configuration.writing(root / FILE):
            write_durably(root / FILE, content, mode=0o600)


def steps_of(root: Path) -> tuple[Step, ...]:
    """The last step of each dataset; empty if there was no round, or its record cannot be read."""
    try:
        record = json.loads((root / FILE).read_bytes())
        return tuple(map(Step.from_dict, record["steps"])) if record["lastro_round"] == FORMAT else ()
    except (OSError, ValueError, LookupError, TypeError):
        return ()


def _told(each: Any, text: Callable[[str], str]) -> Any:  # Any: JSON values
    """A note, or what a look or a check came to, with the words of each as `text` gives them."""
    if isinstance(each, str):
        return text(each)
    return {name: text(value) if name in {"what", "do"} else value for name, value in each.items()}
