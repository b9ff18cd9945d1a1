"""Lines of known templates, shaped like the logs of systems that many know; each with the number of its event."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

Draw = Callable[[random.Random], str]


def number(draw: random.Random) -> str:
    return str(draw.randrange(10 ** draw.randrange(1, 9)))


def address(draw: random.Random) -> str:
    return ".".join(str(draw.randrange(256)) for _ in range(4))


def block(draw: random.Random) -> str:
    return f"blk_{draw.choice(['', '-'])}{draw.randrange(10**18, 10**19)}"


def host(draw: random.Random) -> str:
    return f"/{address(draw)}:{draw.randrange(1024, 65536)}"


def word(draw: random.Random) -> str:
    return "".join(draw.choices(string.ascii_lowercase, k=draw.randrange(4, 10)))


def session(draw: random.Random) -> str:
    return f"0x{draw.randrange(16**15, 16**16):x}"


def path(draw: random.Random) -> str:
    return "/" + "/".join(word(draw) for _ in range(draw.randrange(1, 6)))


KINDS: dict[str, Draw] = {
    "N": number,
    "IP": address,
    "BLK": block,
    "HOST": host,
    "WORD": word,
    "SESSION": session,
    "PATH": path,
    "NODE": lambda draw: f"node{draw.randrange(400)}",
    "LEVEL": lambda draw: draw.choice(["low", "high"]),
    "LIST": lambda draw: " ".join(word(draw) for _ in range(draw.randrange(1, 5))),
}

HDFS = (
    "Receiving block {BLK} src: {HOST} dest: {HOST}",
    "Received block {BLK} of size {N} from /{IP}",
    "PacketResponder {N} for block {BLK} terminating",
    "BLOCK* NameSystem.addStoredBlock: blockMap updated: {IP}:{N} is added to {BLK} size {N}",
    "BLOCK* NameSystem.allocateBlock: {PATH}. {BLK}",
    "BLOCK* NameSystem.delete: {BLK} is added to invalidSet of {IP}:{N}",
    "Verification succeeded for {BLK}",
    "Deleting block {BLK} file {PATH}",
    "{IP}:{N} Served block {BLK} to /{IP}",
    "{IP}:{N}:Got exception while serving {BLK} to /{IP}:",
    "Exception in receiveBlock for block {BLK} java.io.IOException: Connection reset by peer",
    "{IP}:{N} Starting thread to transfer block {BLK} to {IP}:{N}",
)
SSH = (
    "Failed password for root from {IP} port {N} ssh2",
    "Failed password for invalid user {WORD} from {IP} port {N} ssh2",
    "Invalid user {WORD} from {IP}",
    "input_userauth_request: invalid user {WORD} [preauth]",
    "pam_unix(sshd:auth): check pass; user unknown",
    "pam_unix(sshd:auth): authentication failure; logname= uid={N} euid={N} tty=ssh ruser= rhost={IP}",
    "pam_unix(sshd:session): session opened for user {WORD} by (uid={N})",
    "Received disconnect from {IP}: {N}: Bye Bye [preauth]",
    "reverse mapping checking getaddrinfo for {WORD} [{IP}] failed - POSSIBLE BREAK-IN ATTEMPT!",
    "Did not receive identification string from {IP}",
    "error: Received disconnect from {IP}: {N}: com.jcraft.jsch.JSchException: Auth fail [preauth]",
)
ZOOKEEPER = (
    "Received connection request {HOST}",
    "Accepted socket connection from {HOST}",
    "Closed socket connection for client {HOST} which had sessionid {SESSION}",
    "Client attempting to establish new session at {HOST}",
    "Established session {SESSION} with negotiated timeout {N} for client {HOST}",
    "Expiring session {SESSION}, timeout of {N}ms exceeded",
    "Notification time out: {N}",
    "Connection broken for id {N}, my id = {N}, error =",
    "caught end of stream exception",
    "Interrupted while waiting for message on queue",
    "Processed session termination for sessionid: {SESSION}",
    "Snapshotting: {SESSION} to {PATH}",
)
HARD = (
    "Connection closed by {IP} [preauth]",
    "Connection reset by {IP} [preauth]",
    "{WORD} logged in",
    "queue {WORD} is {LEVEL}",
    "loaded modules {LIST}",
    "restart of {NODE} finished",
)


def lines(templates: tuple[str, ...], count: int, *, seed: int) -> tuple[list[str], list[int]]:
    """As many messages, and the event that each is of."""
    draw = random.Random(seed)
    events = [draw.randrange(len(templates)) for _ in range(count)]
    return [filled(templates[event], draw) for event in events], events


def filled(template: str, draw: random.Random) -> str:
    for kind, made in KINDS.items():
        while f"{{{kind}}}" in template:
            template = template.replace(f"{{{kind}}}", made(draw), 1)
    return template


def grouping_accuracy(found: list[int], events: list[int]) -> float:
    """The share of messages whose group holds all messages of their event and no other (Zhu et al., ICSE-SEIP 2019)."""
    groups: dict[int, set[int]] = {}
    true: dict[int, set[int]] = {}
    for place, (number, event) in enumerate(zip(found, events, strict=True)):
        groups.setdefault(number, set()).add(place)
        true.setdefault(event, set()).add(place)
    right = sum(groups[number] == true[event] for number, event in zip(found, events, strict=True))
    return right / len(events)
