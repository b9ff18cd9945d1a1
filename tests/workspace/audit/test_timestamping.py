"""Time-stamps of checkpoints, by a real authority: OpenSSL's, behind a small server, under a root made here."""

from __future__ import annotations

import random
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.cli.conftest import lastro as lastro_command  # noqa: F401 – a fixture
from tests.source.misbehaving import Asked, Misbehaving, Reply, serve  # noqa: F401 – a fixture

import lastro
from lastro.model.errors import ConfigurationError, Corrupted, LimitExceeded, SourceError, UnknownName
from lastro.privacy import timestamp
from lastro.privacy.timestamp import NotStamped
from lastro.workspace.audit.anchoring import notes_of
from lastro.workspace.audit.ledger import WorkspaceLedger
from lastro.workspace.audit.timestamping import ANSWER_BYTES_MAX, stamp, stamps

pytest.importorskip("rfc3161_client")
pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl to be the authority")

CONFIGURATION = """
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[serving]
basicConstraints = CA:FALSE
extendedKeyUsage = critical, serverAuth
[tsa]
serial = serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
"""
CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


@dataclass(frozen=True)
class Authority:
    """A time-stamp authority in a folder."""

    folder: Path

    @classmethod
    def made(cls, folder: Path) -> Authority:
        folder.mkdir()
        (folder / "ca.cnf").write_text(CONFIGURATION)
        (folder / "serial").write_text("01\n")
        made = cls(folder)
        made._run("req -x509 -keyout root.key -out root.pem -subj /CN=Root -days 30 -extensions root", *CURVE)
        made._run("req -keyout tsa.key -out tsa.csr -subj /CN=TSA", *CURVE)
        sign = "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out tsa.pem -days 30"
        made._run(f"{sign} -extfile ca.cnf -extensions stamping", configured=False)
        return made

    @property
    def root(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def answer(self, question: bytes) -> bytes:
        (self.folder / "question.tsq").write_bytes(question)
        self._run("ts -reply -section tsa -queryfile question.tsq -signer tsa.pem -inkey tsa.key -out answer.tsr")
        return (self.folder / "answer.tsr").read_bytes()

    def _run(self, command: str, *more: str, configured: bool = True) -> None:
        given = ("-config", "ca.cnf") if configured else ()
        subprocess.run(
            ["openssl", *command.split(), *more, *given], cwd=self.folder, check=True, capture_output=True, timeout=60
        )


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("authority") / "tsa")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.made(tmp_path_factory.mktemp("other") / "tsa")


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WorkspaceLedger:
    monkeypatch.setenv("LASTRO_LANG", "en")
    found = lastro.init(tmp_path / "lake").ledger
    found.turned("test")
    return found


@pytest.fixture
def tsa(serve: Callable[..., Misbehaving], authority: Authority) -> str:  # noqa: F811 – the fixture
    return serve(lambda asked: Reply(authority.answer(asked.body), headers={})).url("/tsa")


def kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.is_file()}


def test_a_checkpoint_is_stamped_kept_and_proven_offline(
    ledger: WorkspaceLedger, tsa: str, authority: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "anchors.txt"

    note, first = stamp(ledger, path, tsa, certificates=authority.root)
    ledger.turned("again")
    _note, second = stamp(ledger, path, tsa)

    assert kept(tmp_path) == {"anchors.txt", "anchors.txt.1.tsr", "anchors.txt.2.tsr"}
    assert notes_of(path)[0] == note
    found = stamps(path, authority.root)
    assert [(each.size, each.stamp, each.fault) for each in found] == [(1, first.stamp, ""), (2, second.stamp, "")]
    assert first.stamp is not None
    assert (first.stamp.policy, ledger.verify(anchors=notes_of(path)).passed) == ("1.2.3.4.1", True)


def test_the_answer_is_one_that_openssl_proves(
    ledger: WorkspaceLedger, tsa: str, authority: Authority, tmp_path: Path
) -> None:
    note, _found = stamp(ledger, tmp_path / "anchors.txt", tsa)
    (tmp_path / "note.txt").write_text(note)

    told = subprocess.run(
        [
            *["openssl", "ts", "-verify", "-data", "note.txt", "-in", "anchors.txt.1.tsr", "-CAfile"],
            str(authority.folder / "root.pem"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert "Verification: OK" in told.stdout + told.stderr


def test_no_word_of_the_note_leaves(
    ledger: WorkspaceLedger,
    authority: Authority,
    serve: Callable[..., Misbehaving],  # noqa: F811
    tmp_path: Path,
) -> None:
    server = serve(lambda asked: Reply(authority.answer(asked.body), headers={}))

    note, _found = stamp(ledger, tmp_path / "anchors.txt", server.url("/tsa"))

    (asked,) = server.asked
    assert asked.headers["content-type"] == "application/timestamp-query"
    assert not any(line.encode() in asked.body for line in note.splitlines() if len(line) > 4)


def test_what_is_stamped_is_not_asked_for_again(ledger: WorkspaceLedger, tsa: str, tmp_path: Path) -> None:
    path = tmp_path / "anchors.txt"
    stamp(ledger, path, tsa)
    before = (tmp_path / "anchors.txt.1.tsr").read_bytes()

    stamp(ledger, path, "http://127.0.0.1:9/nobody")

    assert ((tmp_path / "anchors.txt.1.tsr").read_bytes(), len(notes_of(path))) == (before, 1)


Answering = Callable[[Asked, Authority, Authority], Reply]


def _of(body: bytes) -> Reply:
    return Reply(body, headers={})


HOSTILE: dict[str, tuple[Answering, str]] = {
    "another nonce": (lambda _asked, one, _two: _of(one.answer(timestamp.question(NOTE).encoded)), "of other bytes"),
    "another root": (lambda asked, _one, two: _of(two.answer(asked.body)), "not signed under the certificates"),
    "garbage": (lambda _asked, _one, _two: _of(b"<html>welcome</html>"), "it is no time-stamp"),
    "nothing": (lambda _asked, _one, _two: _of(b""), "it is no time-stamp"),
    "the question": (lambda asked, _one, _two: _of(asked.body), "it is no time-stamp"),
    "cut off": (lambda asked, one, _two: _of(one.answer(asked.body)[:-9]), "it is no time-stamp"),
    "more behind it": (lambda asked, one, _two: _of(one.answer(asked.body) + b"x"), "it is no time-stamp"),
    "a refusal": (
        lambda _asked, one, _two: _of(one.answer(b"\x30\x03\x02\x01\x01")),
        "the authority refused: status 2",
    ),
    "an error": (lambda _asked, _one, _two: Reply(b"no", 403), "it answered 403"),
    "a moved page": (lambda _asked, _one, _two: Reply(b"", 302, {"Location": "https://example.org/"}), "answered 302"),
    "elsewhere": (lambda _asked, _one, _two: Reply(b"", 307, {"Location": "https://example.org/"}), "redirects"),
    "inside": (lambda _asked, _one, _two: Reply(b"", 308, {"Location": "http://169.254.169.254/"}), "redirects"),
    "round and round": (lambda _asked, _one, _two: Reply(b"", 307, {"Location": "/tsa"}), "redirects without end"),
}
NOTE = b"another note"


@pytest.mark.parametrize("name", HOSTILE)
def test_what_an_authority_may_answer(
    name: str,
    ledger: WorkspaceLedger,
    authority: Authority,
    other: Authority,
    serve: Callable[..., Misbehaving],  # noqa: F811
    tmp_path: Path,
) -> None:
    answering, says = HOSTILE[name]
    server = serve(lambda asked: answering(asked, authority, other))

    with pytest.raises(SourceError) as caught:
        stamp(ledger, tmp_path / "anchors.txt", server.url("/tsa"), certificates=authority.root)

    assert says in str(caught.value)
    assert caught.value.state == "nothing was kept"
    assert kept(tmp_path) == set()


def test_another_nonce_over_the_same_bytes_is_told(
    ledger: WorkspaceLedger,
    authority: Authority,
    serve: Callable[..., Misbehaving],  # noqa: F811
    tmp_path: Path,
) -> None:
    note = ledger.checkpoint().encode()
    server = serve(lambda _asked: _of(authority.answer(timestamp.question(note).encoded)))

    with pytest.raises(SourceError, match="it answers another question"):
        stamp(ledger, tmp_path / "anchors.txt", server.url("/tsa"))


def test_ten_megabytes_are_not_read(
    ledger: WorkspaceLedger,
    serve: Callable[..., Misbehaving],  # noqa: F811
    tmp_path: Path,
) -> None:
    server = serve(lambda _asked: _of(b"0" * (10 << 20)))

    with pytest.raises(LimitExceeded, match="larger than"):
        stamp(ledger, tmp_path / "anchors.txt", server.url("/tsa"))

    assert kept(tmp_path) == set()


def test_an_authority_that_says_nothing_is_given_up(
    ledger: WorkspaceLedger,
    serve: Callable[..., Misbehaving],  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def late(_asked: Asked) -> Reply:
        time.sleep(1.5)
        return _of(b"late")

    server = serve(late)
    monkeypatch.setattr("lastro.workspace.audit.timestamping.RETRIES", 0)
    begun = time.monotonic()

    with pytest.raises(SourceError, match="it took too long"):
        stamp(ledger, tmp_path / "anchors.txt", server.url("/tsa"), timeout_s=0.3)

    assert time.monotonic() - begun < 1.4


@pytest.mark.parametrize("url", ["", "tsa.example.org", "file:///etc/passwd", "http://", "http://[::1"])
def test_what_is_no_address_is_refused(ledger: WorkspaceLedger, url: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        stamp(ledger, tmp_path / "anchors.txt", url)


def test_a_password_in_the_address_is_refused_and_not_repeated(ledger: WorkspaceLedger, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        stamp(ledger, tmp_path / "anchors.txt", "https://ana:hunter2@tsa.example.org/")

    assert "hunter2" not in str(caught.value) + repr(caught.value) + caught.value.where


def test_an_empty_ledger_has_nothing_to_stamp(tmp_path: Path, tsa: str) -> None:
    with pytest.raises(UnknownName):
        stamp(lastro.init(tmp_path / "lake").ledger, tmp_path / "anchors.txt", tsa)


@pytest.mark.parametrize(
    "content",
    [b"", b"garbage", b"\x30\x80", b"0" * (ANSWER_BYTES_MAX + 1)],
    ids=["nothing", "garbage", "begun", "large"],
)
def test_what_was_put_beside_an_anchor_proves_nothing(
    ledger: WorkspaceLedger, tsa: str, authority: Authority, tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "anchors.txt"
    stamp(ledger, path, tsa)
    (tmp_path / "anchors.txt.1.tsr").write_bytes(content)

    (found,) = stamps(path, authority.root)

    assert (found.stamp, bool(found.fault)) == (None, True)


def test_a_stamp_under_another_root_is_a_fault(
    ledger: WorkspaceLedger, tsa: str, authority: Authority, other: Authority, tmp_path: Path
) -> None:
    path = tmp_path / "anchors.txt"
    stamp(ledger, path, tsa)

    leaf = (authority.folder / "tsa.pem").read_bytes()
    for held, says in (
        (other.root, "not signed under"),
        (b"no certificate", "cannot be read"),
        (leaf, "no root certificate"),
    ):
        (found,) = stamps(path, held)
        assert says in found.fault
    assert stamps(path, authority.root + leaf)[0].stamp is not None


def test_a_certificate_for_another_use_stamps_nothing(authority: Authority, tmp_path: Path) -> None:
    shutil.copytree(authority.folder, tmp_path / "tsa")
    wrong = Authority(tmp_path / "tsa")
    wrong._run("req -keyout tsa.key -out tsa.csr -subj /CN=Web", *CURVE)
    wrong._run(
        "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -CAcreateserial -out web.pem -days 30"
        " -extfile ca.cnf -extensions serving",
        configured=False,
    )
    question = timestamp.question(NOTE)
    shutil.copy(wrong.folder / "web.pem", wrong.folder / "tsa.pem")

    with pytest.raises((subprocess.CalledProcessError, NotStamped)):
        timestamp.proven(wrong.answer(question.encoded), NOTE, wrong.root)


def test_a_stamp_for_another_ledger_is_told_and_not_replaced(ledger: WorkspaceLedger, tsa: str, tmp_path: Path) -> None:
    second = lastro.init(tmp_path / "second").ledger
    second.turned("test")
    stamp(ledger, tmp_path / "anchors.txt", tsa)

    with pytest.raises(Corrupted, match="it is of other bytes"):
        stamp(second, tmp_path / "anchors.txt", tsa)


def test_whatever_is_changed_in_an_answer_is_found_or_means_the_same(authority: Authority) -> None:
    question = timestamp.question(NOTE)
    whole = authority.answer(question.encoded)
    expected = timestamp.proven(whole, NOTE, authority.root)
    chance = random.Random(7)

    for _turn in range(1_500):
        changed = bytearray(whole)
        for _place in range(chance.choice((1, 1, 2, 6))):
            changed[chance.randrange(len(changed))] = chance.randrange(256)
        content = bytes(changed[: chance.randrange(len(changed))]) if chance.random() < 0.1 else bytes(changed)
        try:
            assert timestamp.proven(content, NOTE, authority.root) == expected
        except NotStamped:
            continue


def test_the_command_stamps_and_proves(
    ledger: WorkspaceLedger,
    tsa: str,
    authority: Authority,
    other: Authority,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    lastro_command,  # noqa: F811
) -> None:
    monkeypatch.chdir(tmp_path / "lake")
    certificate, wrong = authority.folder / "root.pem", other.folder / "root.pem"
    anchor = ("ledger", "anchor", "--file", "../anchors.txt", "--tsa", tsa)
    verify = ("ledger", "verify", "--anchor", "../anchors.txt", "--certificate")

    refused = lastro_command(*anchor, "--certificate", str(wrong))
    done = lastro_command(*anchor, "--certificate", str(certificate), "--json")
    proven = lastro_command(*verify, str(certificate), "--json")
    not_proven = lastro_command(*verify, str(wrong))

    assert (refused.code, done.code, proven.code, not_proven.code) == (3, 0, 0, 3), refused.err
    assert done.json["stamp"]["events"] == 1
    assert proven.json["stamps"] == [done.json["stamp"]]
    assert "the time-stamp of 1 events: it is not signed under the certificates given" in not_proven.out
    for wrongly in (
        ("ledger", "anchor", "--git", "--tsa", tsa),
        ("ledger", "anchor", "--file", "x", "--certificate", str(certificate)),
        ("ledger", "verify", "--certificate", str(certificate)),
    ):
        assert lastro_command(*wrongly).code == 2, wrongly
