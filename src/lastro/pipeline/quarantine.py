"""The quarantine: rows set aside, shown, exported, corrected and taken in again.

Rules:

1. A quarantined row counts only if a commit of the dataset carries its batch as idempotency key: a batch that was
   refused or crashed left nothing behind.
2. After an `overwrite`, a `snapshot` or a whole reading of a history, rows set aside before it are past: what they
   belonged to was read again. A `restore` brings back what was open at the version that it restores.
3. A row that is corrected, or comes again, is no longer open (`closing`).
4. Corrected rows go through the contract like any batch, and meet the stored rows by the dataset's mode: where it
   compares keys they take the place of a stored row, or are its next state; else they are appended.
5. A file of corrections taken in twice is taken in once: its digest is the idempotency key.
6. A row is corrected once: that it is open is proven, and its mark written, under the dataset's lock.
7. Rows of a dataset that protects values have tokens in their places; for a purpose, and once that is recorded, they
   are shown and exported as they were refused. Nobody is shown rows of those who were erased: there is nothing in them.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lastro.engine.protocol import ERASED
from lastro.model import digest
from lastro.model.errors import NotPermitted, SourceBroken, UnknownName
from lastro.model.progress import Told
from lastro.model.text import _, ngettext
from lastro.model.version import Mode
from lastro.pipeline import corrections
from lastro.pipeline.closing import Corrections, address, counting, digest_of, open_rows, refusal
from lastro.pipeline.corrections import Address, Row
from lastro.pipeline.ingest import ingest
from lastro.pipeline.result import IngestResult
from lastro.pipeline.target import Target, part
from lastro.privacy.records import opened

WITHHELD = "{}"
"""What is shown in place of a record."""
PLACE = ("batch", "source", "position")


@dataclass(frozen=True, slots=True)
class Quarantine:
    """The rows of one dataset that were set aside and are still open."""

    target: Target
    on_ingest: Callable[[IngestResult], None] | None = None
    mode: Mode = Mode.APPEND
    """The dataset's."""
    withholds: bool = False
    """True if whoever asks may not see all columns: rows are told of without what stands in them."""
    on_rows: Callable[[], None] | None = None
    """Told before rows are handed out."""
    before_replay: Callable[[], None] | None = None
    on_reveal: Callable[[int], None] | None = None
    """Told how many rows are about to be shown with their values; raises if that may not be."""

    def rows(
        self,
        *,
        rule: str | None = None,
        version: int | None = None,
        limit: int | None = None,
        reveal: bool = False,
    ) -> list[Row]:
        """Open rows in the order they were set aside: batch, rules, source, position, offset, form, record.

        `rule` keeps those that broke this rule, `version` those set aside when this version was made. The records are
        empty for those who may not see all columns. With `reveal` tokens are turned back into values. Raises
        `NotPermitted`.
        """
        if self.on_rows is not None and not self.withholds:
            self.on_rows()
        batch = None if version is None else self.target.table.version(version).origin.idempotency_key
        found = (
            row
            for row in open_rows(self.target)
            if (rule is None or rule in row["rules"]) and (batch is None or row["batch"] == batch)
        )
        rows = list(islice(found, limit))
        if self.withholds:
            return [{**row, "record": WITHHELD} for row in rows]
        return self._revealed(rows) if reveal else rows

    def _revealed(self, rows: list[Row]) -> list[Row]:
        protect = self.target.protect
        if protect is None or not rows:
            return rows
        if self.on_reveal is not None:
            self.on_reveal(len(rows))
        texts = opened(protect.vault, [row["form"] for row in rows], [row["record"] for row in rows])
        return [{**row, "record": text} for row, text in zip(rows, texts, strict=True)]

    def summary(self) -> Mapping[str, int]:
        """Open rows per rule, most first; a row that broke several counts for each."""
        counts = Counter(rule for row in open_rows(self.target, columns=("rules",)) for rule in row["rules"])
        return dict(counts.most_common())

    def count(self) -> int:
        """How many rows are open."""
        return sum(1 for _row in open_rows(self.target, columns=("position",)))

    def export(self, path: Path, *, rule: str | None = None, reveal: bool = False) -> int:
        """Writes open rows to a CSV or JSON lines file that can be corrected and replayed; returns how many.

        The columns are the source's, then `_rules`, `_source`, `_position`, `_offset` where it is known, `_batch` and,
        for records that could not be taken apart, `_text`. With `reveal` tokens are turned back into values. Raises
        `UsageError` for another kind of file, `WriteFailed`, `NotPermitted`.
        """
        if self.withholds:
            raise NotPermitted(
                _("you may not read all columns of {dataset}, which stand in the rows set aside").format(
                    dataset=self.target.dataset
                ),
                do=_("see why: lastro policy explain {dataset}").format(dataset=self.target.dataset),
                state=_("nothing was written"),
            )
        corrections.format_of(path)
        columns = {column.name: column for column in self.target.plan.columns}
        rows = [
            corrections.as_source(row, columns)
            for row in self.rows(rule=rule, reveal=reveal)
            if row["rules"] != [ERASED]
        ]
        corrections.write(path, rows)
        return len(rows)

    def replay(self, corrected: Path, *, progress: Told | None = None) -> IngestResult:
        """Takes a corrected export through the contract again; rows that pass join the dataset and are closed here.

        Rows still refused come back to the quarantine; where no row passes, there is no new version. Raises as `ingest`
        does.
        """
        if self.before_replay is not None:
            self.before_replay()
        corrections.format_of(corrected)
        content = digest_of(corrected)
        key = self._key(content)
        protect = self.target.protect
        vault = protect.vault if protect is not None and protect.is_shut else None
        source = Corrections(corrected, content, self._check_open, lambda: self._was_refused(key), vault=vault)
        target = dataclasses.replace(
            part(self.target), open_columns=frozenset(corrections.RESERVED) - {corrections.TEXT}
        )
        result = ingest(target, source, mode=self._replay_mode(), key=key, progress=progress)
        result = dataclasses.replace(result, notes=(*result.notes, *self._notes(result)))
        if self.on_ingest is not None:
            self.on_ingest(result)
        return result

    def _replay_mode(self) -> Mode:
        if self.mode is Mode.SCD2 or self._keeps_history():
            return Mode.SCD2
        return Mode.UPSERT if self.mode in {Mode.UPSERT, Mode.SNAPSHOT} else Mode.APPEND

    def _notes(self, result: IngestResult) -> tuple[str, ...]:
        if result.unchanged or self.mode not in {Mode.OVERWRITE, Mode.SNAPSHOT} or self._keeps_history():
            return ()
        note = _("the next reading replaces {dataset} as a whole, these rows included: correct them at the source, too")
        return (note.format(dataset=self.target.dataset),)

    def _keeps_history(self) -> bool:
        head, columns = self.target.table.head(), self.target.history.columns
        stored = set(columns) <= set(head.schema.names) if head is not None else False
        return stored and not set(columns) & set(self.target.plan.schema.names)

    def _was_refused(self, key: str) -> bool:
        name = refusal(key, self.target.table.head())
        return any(info.origin.idempotency_key == name for info in self.target.quarantine.history(limit=1))

    def _key(self, content: str) -> str:
        """The attempt's name; another one where the rows that came in under the first were restored away."""
        key = digest.of_parts([self.target.dataset, "replay", content])
        table = self.target.table
        if key in counting(table) or not any(info.origin.idempotency_key == key for info in table.history()):
            return key
        head = table.head()
        return digest.of_parts([key, head.digest if head else ""])

    def _check_open(self, addresses: Sequence[Address]) -> None:
        repeated = [place for place, count in Counter(addresses).items() if count > 1]
        if repeated:
            raise SourceBroken(
                ngettext(
                    "{count} quarantined row stands more than once in the corrected file",
                    "{count} quarantined rows stand more than once in the corrected file",
                    len(repeated),
                ).format(count=len(repeated)),
                where=f"{repeated[0][1]}:{repeated[0][2]}",
                do=_("leave one line for each row"),
            )
        named = set(addresses)
        known = {found for row in open_rows(self.target, columns=PLACE) if (found := address(row)) in named}
        missing = [place for place in addresses if place not in known]
        if missing:
            raise UnknownName(
                _(
                    "{count} of the corrected rows are not open in the quarantine of {dataset}: "
                    "since the file was exported, they were taken in, set aside anew or left behind"
                ).format(count=len(missing), dataset=self.target.dataset),
                where=f"{missing[0][1]}:{missing[0][2]}",
                do=_("lastro quarantine {dataset} --export FILE writes those that are open; correct them there").format(
                    dataset=self.target.dataset
                ),
            )
