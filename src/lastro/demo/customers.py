"""The lender's customer API: JSON pages over HTTP on this machine, served by the standard library.

`GET /customers?page=3&size=500` answers `{"items": […], "page": 3, "pages": 12}`. One customer stands on two
neighbouring pages now and then, as happens when rows shift between two requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from threading import Thread
from urllib.parse import parse_qs, urlsplit

from lastro.demo.people import Person

PAGE_ROWS = 500
SEGMENTS = ("basic", "plus", "private")
CHANNELS = ("app", "branch", "correspondent", "phone")


@dataclass(frozen=True, slots=True)
class Customers:
    """What the API serves, and how many of its rows carry each fault, by the name of the rule that must find it."""

    items: tuple[Mapping[str, str | None], ...]
    planted: Mapping[str, int]


def customers(random: Random, people: Sequence[Person], *, today: date) -> Customers:
    """One customer a person; some have no e-mail, some stand on two pages, some joined tomorrow or later."""
    items = [_customer(random, person, today) for person in people]
    chosen = random.sample(range(len(items)), len(items) // 50)
    future, missing = chosen[: len(chosen) // 4], chosen[len(chosen) // 4 :]
    for place in future:
        items[place]["customer_since"] = (today + timedelta(days=random.randint(400, 4000))).isoformat()
    for place in missing:
        items[place]["email"] = "-"
    edges = [edge for edge in range(PAGE_ROWS, len(items), PAGE_ROWS * 2) if edge - 1 not in chosen]
    for edge in reversed(edges):
        items.insert(edge, items[edge - 1])
    return Customers(
        tuple(items), {"since_past": len(future), "email_missing": len(missing), "primary_key": len(edges)}
    )


def _customer(random: Random, person: Person, today: date) -> dict[str, str | None]:
    handle = f"{person.name.split()[0].lower()}.{person.cpf[-2:]}{random.randrange(1000):03d}"
    return {
        "cpf": person.cpf,
        "email": f"{handle}@example.com",
        "segment": random.choices(SEGMENTS, (70, 25, 5))[0],
        "channel": random.choices(CHANNELS, (55, 20, 15, 10))[0],
        "customer_since": (today - timedelta(days=random.randint(1, 3650))).isoformat(),
    }


@contextmanager
def serving(served: Customers) -> Iterator[str]:
    """Serves the customers on a free port of 127.0.0.1 as long as the context lasts; gives the address to ask."""
    pages = [served.items[start : start + PAGE_ROWS] for start in range(0, len(served.items), PAGE_ROWS)]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(pages))
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/customers"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(pages: Sequence[Sequence[Mapping[str, str | None]]]) -> type[BaseHTTPRequestHandler]:
    class Pages(BaseHTTPRequestHandler):
        """Answers with one page of customers."""

        def do_GET(self) -> None:
            """The page asked for; beyond the last one, an empty page."""
            asked = int(parse_qs(urlsplit(self.path).query).get("page", ["1"])[0])
            items = pages[asked - 1] if 0 < asked <= len(pages) else ()
            body = json.dumps({"items": list(items), "page": asked, "pages": len(pages)}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: object) -> None:  # noqa: A002  the name is the standard library's
            """Says nothing: the story is told elsewhere."""

    return Pages
