"""Object stores: S3 and what speaks like it, Google Cloud Storage, Azure Blob Storage, by pyarrow's own readers.

Rules:

1. Credentials are references (`${NAME}`), or what the environment's usual chain finds; never both in part.
2. A wildcard matches within one part of a name, `**` any number of them; listing goes no higher than the part before
   the first wildcard, and page by page.
3. A library's message is read to tell what went wrong, and dropped: it may quote keys.
4. What is fetched is what was listed: size, time and tag are compared before and after.
"""

from __future__ import annotations

import glob
import hashlib
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from msgspec import Meta

from lastro.model import digest
from lastro.model.errors import SourceChanged, SourceUnreachable
from lastro.model.text import _
from lastro.source.fetch.addresses import permitted, resolve
from lastro.source.files.formats import FilesOptions, bounds_of, format_of
from lastro.source.files.known import Bounds, Known
from lastro.source.files.remote import BATCH_BYTES, SPOOL_BYTES_MAX, Remote, RemoteFiles, Spool, refuse_size
from lastro.source.options import read_options, wrong_option
from lastro.source.secret import Secret, refers

_CONNECT_S = 10


class S3Options(FilesOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `s3://bucket/…`. `endpoint` is the URL of a store that is not Amazon's."""

    anonymous: bool = False
    spool_bytes_max: Annotated[int, Meta(ge=1)] = SPOOL_BYTES_MAX
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    endpoint: str | None = None
    region: str | None = None
    access_key: str | None = None
    secret_key: str | None = None
    session_token: str | None = None
    role: str | None = None
    allow_hosts: tuple[str, ...] = ()


class GcsOptions(FilesOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `gs://bucket/…`."""

    anonymous: bool = False
    spool_bytes_max: Annotated[int, Meta(ge=1)] = SPOOL_BYTES_MAX
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    endpoint: str | None = None
    token: str | None = None
    service_account: str | None = None
    allow_hosts: tuple[str, ...] = ()


class AzureOptions(FilesOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Options of `az://container/…` and `abfss://container@account.dfs.core.windows.net/…`."""

    anonymous: bool = False
    spool_bytes_max: Annotated[int, Meta(ge=1)] = SPOOL_BYTES_MAX
    retries: Annotated[int, Meta(ge=0, le=20)] = 3
    endpoint: str | None = None
    account: str | None = None
    account_key: str | None = None
    sas_token: str | None = None
    tenant: str | None = None
    client: str | None = None
    client_secret: str | None = None
    allow_hosts: tuple[str, ...] = ()


_SECRET = ("secret_key", "session_token", "token", "account_key", "sas_token", "client_secret")
Given = S3Options | GcsOptions | AzureOptions
_OPTIONS: Mapping[str, type[Given]] = {
    "s3": S3Options,
    "gs": GcsOptions,
    "az": AzureOptions,
    "abfs": AzureOptions,
    "abfss": AzureOptions,
}


@dataclass(frozen=True, slots=True)
class Bucket:
    """A place in an object store: `pattern` begins with the bucket."""

    scheme: str
    pattern: str
    given: Given

    @contextmanager
    def opened(self) -> Iterator[Objects]:
        """The store, connected. Raises `ConfigurationError`, `SourceUnreachable`."""
        with telling(f"{self.scheme}://{self.pattern}"):
            filesystem = _filesystem(self.given)
        yield Objects(filesystem, self.scheme, self.pattern)


@dataclass(frozen=True, slots=True)
class Objects:
    """The objects of any pyarrow filesystem that match a pattern."""

    filesystem: Any  # Any: pyarrow.fs.FileSystem
    scheme: str
    pattern: str

    def found(self, known: Known, spool: Spool) -> Sequence[Remote]:
        """The objects, sorted by name. Raises `SourceUnreachable`."""
        del known, spool
        with telling(self._url(self.pattern)):
            objects = sorted(self._matching(), key=lambda remote: remote.name)
        if not objects:
            raise SourceUnreachable(
                _("no object matches {pattern}").format(pattern=self._url(self.pattern)),
                do=_("check bucket and path; * stays within one part of a name, ** goes deeper"),
            )
        return objects

    def fetch(self, remote: Remote, target: Path, stopped: threading.Event) -> str:
        """Writes one object to a file and gives its digest. Raises `SourceError`."""
        state, read = hashlib.sha256(), 0
        with telling(remote.name), self._stream(remote.key) as stream:
            before = stream.metadata()
            with target.open("wb") as sink:
                while read <= remote.size and (block := stream.read(digest.BLOCK_BYTES)) and not stopped.is_set():
                    read += len(block)
                    state.update(block)
                    sink.write(block)
            self._check_same(remote, before)
        if read != remote.size:
            raise refuse_size(remote.name, read, remote.size)
        return digest.PREFIX + state.hexdigest()

    def _stream(self, key: str) -> Any:  # Any: pyarrow.NativeFile
        return self.filesystem.open_input_stream(key, compression=None)  # else `.gz` would arrive unpacked

    def _check_same(self, remote: Remote, before: object) -> None:
        info = self.filesystem.get_file_info(remote.key)
        with self._stream(remote.key) as stream:
            after = stream.metadata()
        if (info.size, _moment(info)) != (remote.size, remote.mtime_ns) or before != after:
            raise changed(remote.name)

    def _matching(self) -> Iterator[Remote]:
        if not glob.has_magic(self.pattern):
            info = self.filesystem.get_file_info(self.pattern)
            if info.is_file:
                yield self._remote(info)
            elif info.type.name == "NotFound":  # a store may answer that for a bucket that is not there, too
                self._listed(self.pattern.rpartition("/")[0])
            return
        parts = self.pattern.split("/")
        literal = next(index for index, part in enumerate(parts) if glob.has_magic(part))
        for info in self._below("/".join(parts[:literal]), parts[literal:]):
            yield self._remote(info)

    def _below(self, folder: str, parts: Sequence[str]) -> Iterator[Any]:  # Any: pyarrow.fs.FileInfo
        """What is below a folder and matches these parts of a pattern."""
        if parts[0] == "**":
            pattern = _any_depth(parts)
            for info in self._listed(folder, recursive=True):
                below = info.path[len(folder) + 1 :] if folder else info.path
                hidden = below.startswith(".") or "/." in below
                if info.is_file and not hidden and pattern.fullmatch(below):
                    yield info
            return
        matches = re.compile(_within(parts[0]), re.DOTALL).fullmatch
        for info in self._listed(folder):
            if not matches(info.base_name) or (info.base_name.startswith(".") and not parts[0].startswith(".")):
                continue
            if len(parts) == 1 and info.is_file:
                yield info
            elif len(parts) > 1 and not info.is_file:
                yield from self._beneath(info.path, parts[1:])

    def _beneath(self, folder: str, parts: Sequence[str]) -> Iterator[Any]:  # Any: pyarrow.fs.FileInfo
        while parts and not glob.has_magic(parts[0]) and len(parts) > 1:
            folder, parts = f"{folder}/{parts[0]}", parts[1:]
        if glob.has_magic(parts[0]):
            yield from self._below(folder, parts)
            return
        info = self.filesystem.get_file_info(f"{folder}/{parts[0]}")
        if info.is_file:
            yield info

    def _listed(self, folder: str, *, recursive: bool = False) -> Sequence[Any]:  # Any: pyarrow.fs.FileInfo
        from pyarrow import fs

        try:
            found = self.filesystem.get_file_info(fs.FileSelector(folder, recursive=recursive))
        except FileNotFoundError:
            return ()
        return [info for info in found if info.path.rstrip("/") != folder]

    def _remote(self, info: Any) -> Remote:  # Any: pyarrow.fs.FileInfo
        return Remote(self._url(info.path), info.size, _moment(info), info.path)

    def _url(self, path: str) -> str:
        return f"{self.scheme}://{path}"


def object_files(options: Mapping[str, Any], base: Path, scheme: str) -> RemoteFiles:  # Any: a person's YAML values
    """The source of kind `files` for an object store. Raises `ConfigurationError`."""
    given = read_options(options, _OPTIONS[scheme])
    for name in _SECRET:
        if getattr(given, name, None) and not refers(getattr(given, name)):
            raise wrong_option(
                given.kind,
                _("{name} is written out, and sounds like a secret").format(name=name),
                do=_("put it into an environment variable and write ${NAME} in its place"),
            )
    pattern = given.path.partition("://")[2]
    bucket, _slash, key = pattern.partition("/")
    if not bucket or not key or glob.has_magic(bucket):
        raise wrong_option(given.kind, _("path: a bucket and what is in it"), do=_("write s3://bucket/folder/*.csv"))
    if any(part in ("", ".", "..") for part in key.split("/")):
        raise wrong_option(given.kind, _("path: no part may be empty, . or .."))
    given, pattern = _account_in_url(given, bucket, key)
    _check_whole(given)
    return RemoteFiles(
        label=given.path,
        base=base,
        format=format_of(given),
        place=Bucket(scheme, pattern, given),
        bounds=bounds_of(given, Bounds(size=BATCH_BYTES)),
        spool_bytes_max=given.spool_bytes_max,
    )


def _account_in_url(given: Given, bucket: str, key: str) -> tuple[Given, str]:
    """Azure's own form of a URL names the account: `abfss://container@account.dfs.core.windows.net/path`."""
    import msgspec

    container, at, host = bucket.partition("@")
    if not isinstance(given, AzureOptions):
        return given, f"{bucket}/{key}"
    if at:
        given = msgspec.structs.replace(given, account=host.partition(".")[0])
    if not given.account:
        raise wrong_option(given.kind, _("which storage account?"), do=_("add account: NAME"))
    return given, f"{container}/{key}"


def _check_whole(given: Given) -> None:
    """Half an account is refused: the rest would be looked for elsewhere, and another account be used."""
    pairs = [("access_key", "secret_key"), ("client", "client_secret"), ("client_secret", "tenant")]
    for one, other in pairs:
        if bool(getattr(given, one, None)) != bool(getattr(given, other, None)):
            raise wrong_option(given.kind, _("{one} and {other} belong together").format(one=one, other=other))
    named = [
        name for name in ("access_key", "token", "account_key", "sas_token", "client") if getattr(given, name, None)
    ]
    if len(named) > 1 or (named and given.anonymous):
        raise wrong_option(given.kind, _("more than one way to identify oneself is given"), do=_("keep one of them"))


def _filesystem(given: Given) -> Any:  # Any: pyarrow.fs.FileSystem
    from pyarrow import fs

    shown = _revealed(given)
    scheme, host = _endpoint(given)
    match given:
        case S3Options():
            made = {
                "access_key": shown("access_key"),
                "secret_key": shown("secret_key"),
                "session_token": shown("session_token"),
                "role_arn": given.role,
                "region": given.region,
                "scheme": scheme,
                "endpoint_override": host,
            }
            return fs.S3FileSystem(
                anonymous=given.anonymous,
                connect_timeout=_CONNECT_S,
                request_timeout=60,
                retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=given.retries + 1),
                **{name: value for name, value in made.items() if value is not None},
            )
        case GcsOptions():
            token = shown("token")
            return fs.GcsFileSystem(
                anonymous=given.anonymous,
                access_token=token,
                credential_token_expiration=datetime.now(UTC) + timedelta(hours=1) if token else None,
                target_service_account=given.service_account,
                scheme=scheme,
                endpoint_override=host,
                retry_time_limit=timedelta(seconds=10 * (given.retries + 1)),
            )
        case AzureOptions():
            local = {"blob_storage_authority": host, "dfs_storage_authority": host} if host else {}
            schemes = {"blob_storage_scheme": scheme, "dfs_storage_scheme": scheme} if host else {}
            made = {
                "account_key": shown("account_key"),
                "sas_token": shown("sas_token"),
                "tenant_id": given.tenant,
                "client_id": given.client,
                "client_secret": shown("client_secret"),
                **local,
                **schemes,
            }
            return fs.AzureFileSystem(given.account, **{name: value for name, value in made.items() if value})


def _endpoint(given: Given) -> tuple[str, str | None]:
    """Scheme and host of an endpoint of one's own; a host that is not public must be allowed."""
    if given.endpoint is None:
        return "https", None
    parts = urlsplit(given.endpoint)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.username:
        raise wrong_option(given.kind, _("endpoint: a URL of a host: https://minio.example.com:9000"))
    port = parts.port or (443 if parts.scheme == "https" else 80)
    permitted(parts.hostname, port, frozenset(host.lower() for host in given.allow_hosts), resolve)
    return parts.scheme, parts.netloc


def _revealed(given: Given) -> Any:  # Any: a function from an option's name to its value
    def shown(name: str) -> str | None:
        template = getattr(given, name)
        return Secret(template).reveal() if template else None

    return shown


def _moment(info: Any) -> int:  # Any: pyarrow.fs.FileInfo
    return int(info.mtime_ns or 0)


def _any_depth(parts: Sequence[str]) -> re.Pattern[str]:
    """A pattern with `**` in it, as a regular expression over the rest of a key."""
    pieces = []
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == "**":
            pieces.append(".*" if last else "(?:[^/]+/)*")
        else:
            pieces.append(_within(part) + ("" if last else "/"))
    return re.compile("".join(pieces), re.DOTALL)


def _within(part: str) -> str:
    """One part of a pattern as a regular expression: `*`, `?` and `[…]` as the shell has them."""
    return "".join(
        {"*": "[^/]*", "?": "[^/]"}.get(piece, re.escape(piece))
        if len(piece) == 1
        else "[" + piece[1:-1].replace("\\", r"\\").replace("[", r"\[").replace("!", "^", piece[1] == "!") + "]"
        for piece in re.findall(r"\[!?[^\]]+\]|.", part, re.DOTALL)
    )


def changed(name: str) -> SourceChanged:
    """The error for an object that is another than was listed."""
    return SourceChanged(
        _("{name} changed while it was read").format(name=name),
        do=_("ingest again when nothing writes to it; give new data a new name"),
    )


_SIGNS = (
    (("no_such_bucket", "nosuchbucket", "containernotfound", "bucket does not exist"), "bucket"),
    (("status 301", "permanentredirect", "authorizationheadermalformed", "the configured region"), "region"),
    (("access_denied", "accessdenied", "status 403", "forbidden", "permission", "authoriz", "authentic", "credential",
      "invalid_access_key", "invalid_client_token", "signature", "status 401", "expired", "invalid_signature",
      "unrecognized_client", "not_authorized"), "denied"),
    (("network_connection", "curlcode", "could not connect", "resolve host", "timeout", "timed out", "unavailable",
      "failed to connect", "retry policy exhausted"), "network"),
)  # fmt: skip


@contextmanager
def telling(name: str) -> Iterator[None]:
    """Turns a store's errors into those of the tree. No word of the library is kept."""
    try:
        yield
    except (FileNotFoundError, OSError, ValueError) as error:
        if isinstance(error, (SourceUnreachable, SourceChanged)) or hasattr(error, "exit_code"):
            raise
        raise _told(error, name) from None


def _told(error: Exception, name: str) -> Exception:
    if isinstance(error, FileNotFoundError):
        return changed(name)
    message = str(error).lower()
    reason = next((reason for signs, reason in _SIGNS if any(sign in message for sign in signs)), "")
    match reason:
        case "bucket":
            what, do = _("the bucket is not there"), _("check its name, the account and the endpoint")
        case "region":
            what, do = _("the bucket is in another region"), _("set region: to the bucket's own")
        case "denied":
            what = _("access is denied")
            do = _("check the credentials: they must allow listing the bucket and reading its objects")
        case "network":
            what, do = _("the store cannot be reached"), _("check endpoint, region and network, then ingest again")
        case _:
            what = _("the store failed ({kind})").format(kind=type(error).__name__)
            do = _("ingest again; if it recurs, check bucket, region and credentials with the store's own tools")
    return SourceUnreachable(what, where=name, do=do)
