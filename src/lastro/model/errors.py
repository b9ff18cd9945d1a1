"""The error tree.

Rules:

1. Every error Lastro raises is a `LastroError`; it also inherits the builtin it resembles.
2. Every error says *what* happened, *where*, what to *do*, and in which *state* the data was left.
3. Every class has one code (`LST-nnnn`, explained in `docs/reference/errors.md`) and one exit code.
4. No message holds a personal value, a secret or a query literal.

::

    LastroError
    ├── RuleViolated (ValueError)        exit 1   the data breaks a promise
    │   ├── DataRefused                  LST-0101 a rule with policy `fail`, or a threshold, was violated
    │   ├── ReplayError                  LST-0102 a replay met other inputs or other results
    │   ├── BreakingChange               LST-0103 a contract would break what is already stored
    │   └── SchemaChanged                LST-0105 the source's columns are not the contract's, and nobody may follow
    ├── UsageError (ValueError)          exit 2   the caller or the configuration is wrong
    │   ├── NameRefused                  LST-0201 a name or reference is not well formed
    │   ├── UnknownName (LookupError)    LST-0202 no such dataset, version, tag, run, rule
    │   ├── ConfigurationError           LST-0203 `lastro.yaml` or an option is wrong
    │   ├── ContractError                LST-0204 a contract is wrong; names file, line, key
    │   ├── SqlRefused                   LST-0205 SQL from a person is not on the allow-list
    │   └── MissingExtra (ImportError)   LST-0206 an optional library is not installed
    ├── SourceError (OSError)            exit 3   reading went wrong; a retry may help
    │   ├── SourceUnreachable            LST-0301 host, file or database cannot be opened
    │   ├── SourceBroken                 LST-0302 what was read is not what it claims to be
    │   ├── SourceChanged                LST-0303 it changed while it was read
    │   ├── LimitExceeded                LST-0304 the input is beyond a limit, or killed its parser
    │   └── NotReconciled                LST-0305 what arrived or was kept is not what the source counted
    ├── StoreError (OSError)             exit 3   the workspace's files
    │   ├── WriteFailed                  LST-0401 disk full, folder read-only
    │   ├── Locked (TimeoutError)        LST-0402 another process holds the dataset
    │   ├── Conflict                     LST-0403 another writer committed first
    │   ├── Corrupted                    LST-0404 bytes differ from what was committed
    │   └── Expired (LookupError)        LST-0405 a version whose files were collected
    ├── EngineError (RuntimeError)       LST-0501 exit 3  the engine failed
    └── NotPermitted (PermissionError)   LST-0601 exit 4  policy forbids it
"""

from __future__ import annotations

from typing import ClassVar

from lastro.model.finding import Finding


class LastroError(Exception):
    """The root of every error Lastro raises.

    `what` happened, `where` (file, line, column, rule), what to `do` about it, and the `state` the data was left in.
    """

    code: ClassVar[str] = "LST-0001"
    exit_code: ClassVar[int] = 3

    def __init__(self, what: str, *, where: str = "", do: str = "", state: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.do = do
        self.state = state

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.what}"]
        for label in ("where", "do", "state"):
            text = getattr(self, label)
            if text:
                lines.append(f"  {label:<5}  {text}")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, str | int]:
        """The error as plain values, for `--json`."""
        return {
            "code": self.code,
            "exit_code": self.exit_code,
            "what": self.what,
            "where": self.where,
            "do": self.do,
            "state": self.state,
        }

    def __reduce__(self) -> tuple[object, ...]:
        return _rebuild, (type(self), self.what, self.where, self.do, self.state)


def _rebuild(kind: type[LastroError], what: str, where: str, do: str, state: str) -> LastroError:
    return kind(what, where=where, do=do, state=state)


class RuleViolated(LastroError, ValueError):
    """The data breaks a promise that was made about it."""

    code = "LST-0100"
    exit_code = 1


class DataRefused(RuleViolated):
    """A rule with policy `fail`, or a threshold, was violated; nothing was committed. `findings` has all results."""

    code = "LST-0101"
    findings: tuple[Finding, ...] = ()


class ReplayError(RuleViolated):
    """A replay met other inputs, another environment or other results than the run recorded."""

    code = "LST-0102"


class BreakingChange(RuleViolated):
    """A contract would break what is already stored."""

    code = "LST-0103"


class SchemaChanged(RuleViolated):
    """The source's columns are no longer those of the contract, and the dataset's policy does not follow them."""

    code = "LST-0105"


class UsageError(LastroError, ValueError):
    """The call, a name or the configuration is wrong."""

    code = "LST-0200"
    exit_code = 2


class NameRefused(UsageError):
    """A name or a reference is not well formed."""

    code = "LST-0201"


class UnknownName(UsageError, LookupError):
    """There is no such dataset, version, tag, run or rule."""

    code = "LST-0202"


class ConfigurationError(UsageError):
    """`lastro.yaml`, a source's options or the environment are wrong."""

    code = "LST-0203"


class ContractError(UsageError):
    """A contract is wrong; `where` names file, line and key."""

    code = "LST-0204"


class SqlRefused(UsageError):
    """SQL written by a person uses something that is not on the allow-list."""

    code = "LST-0205"


class MissingExtra(UsageError, ImportError):
    """An optional library is needed; `do` says which extra to install."""

    code = "LST-0206"


class SourceError(LastroError, OSError):
    """Reading from a source went wrong; a retry may help."""

    code = "LST-0300"
    exit_code = 3


class SourceUnreachable(SourceError):
    """A host, a file or a database cannot be opened."""

    code = "LST-0301"


class SourceBroken(SourceError):
    """What was read is not what it claims to be: truncated, malformed, of another format."""

    code = "LST-0302"


class SourceChanged(SourceError):
    """The source changed while it was read, or a file already ingested is now another."""

    code = "LST-0303"


class LimitExceeded(SourceError):
    """The input is beyond a limit, or it killed the process that parsed it."""

    code = "LST-0304"


class NotReconciled(SourceError):
    """The source counted other rows, missing values or sums than arrived or were kept; nothing was committed."""

    code = "LST-0305"


class StoreError(LastroError, OSError):
    """The workspace's files cannot be read or written as they must."""

    code = "LST-0400"
    exit_code = 3


class WriteFailed(StoreError):
    """The disk is full or the folder cannot be written; nothing became visible."""

    code = "LST-0401"


class Locked(StoreError, TimeoutError):
    """Another process holds the dataset's lock."""

    code = "LST-0402"


class Conflict(StoreError):
    """Another writer committed first; what was staged was discarded."""

    code = "LST-0403"


class Corrupted(StoreError):
    """Bytes differ from what was committed; `where` names the file."""

    code = "LST-0404"


class Expired(StoreError, LookupError):
    """The version is known, but its files were collected by `lastro gc`."""

    code = "LST-0405"


class EngineError(LastroError, RuntimeError):
    """The engine failed for a reason of its own."""

    code = "LST-0501"
    exit_code = 3


class NotPermitted(LastroError, PermissionError):
    """Policy forbids it."""

    code = "LST-0601"
    exit_code = 4
