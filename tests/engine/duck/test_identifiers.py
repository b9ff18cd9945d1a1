"""A hundred thousand identifiers of each kind, as people hand them over, judged as the libraries judge them."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from tests.engine import identifiers
from tests.engine.conformance_rules import refused

from lastro.engine import create
from lastro.model.plan import Identifier, IdentifierKind

MANY = 100_000


@pytest.mark.parametrize("kind", IdentifierKind)
def test_many_identifiers_are_judged_as_libraries_judge_them(tmp_path: Path, kind: IdentifierKind) -> None:
    random = Random(f"many {kind}")
    texts = [identifiers.mangled(kind, random) for _each in range(MANY)]

    found = refused(create("duckdb"), Identifier("x", kind), [*texts], tmp_path)
    assert found == [text for text in texts if not identifiers.holds(kind, text)]
    assert MANY // 20 < len(found) < MANY - MANY // 20


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (IdentifierKind.CPF, ["390.533.447-05", "39053344705", " 390 533 447 05\n", "３９０５３３４４７０５"]),
        (IdentifierKind.CNPJ, ["16.727.230/0001-97", "12.ABC.345/01DE-35", "12abc34501de35"]),
        (IdentifierKind.IBAN, ["BR1500000000000010932840814P2", "GR16 0110 1050 0000 1054 7023 795"]),
        (IdentifierKind.CARD, ["4111 1111 1111 1111", "378282246310005"]),
        (IdentifierKind.CEP, ["01001-000", "01.001-000", "01001000"]),
        (IdentifierKind.IP, ["::", "::ffff:10.0.0.1", "255.255.255.255", "fe80::1%eth0"]),
        (IdentifierKind.URL, ["https://exemplo.com.br:8443/a?b=ç#d", "http://[2001:db8::1]/"]),
        (IdentifierKind.EMAIL, ["ana+nota@exemplo.com.br", "a@b.xn--p1ai"]),
    ],
)
def test_these_are_valid(tmp_path: Path, kind: IdentifierKind, texts: list[str]) -> None:
    assert refused(create("duckdb"), Identifier("x", kind), [*texts], tmp_path) == []


@pytest.mark.parametrize(
    ("kind", "texts"),
    [
        (
            IdentifierKind.CPF,
            ["111.111.111-11", "00000000000", "390.533.447-06", "٣٩٠٥٣٣٤٤٧٠٥", "", " ", "x" * 100_000],
        ),
        (IdentifierKind.CNPJ, ["00.000.000/0000-00", "12.ABC.345/01DE-36", "12ABC34501DE3E", "١٦٧٢٧٢٣٠٠٠٠١97"]),
        (IdentifierKind.IBAN, ["BR1600000000000010932840814P2", "XX8200000000000010932840814", "BR", "9" * 100_000]),
        (IdentifierKind.CARD, ["4111111111111112", "0" * 11, "0" * 20]),
        (IdentifierKind.CEP, ["00999-999", "01001–000", "1001000"]),
        (IdentifierKind.IP, ["1.2.3.04", "256.1.1.1", "1::2::3", ":1::", "1:2:3:4:5:6:7:8::", "10.0.0.0/8"]),
        (IdentifierKind.URL, ["javascript:alert(1)", "http://", "http://a b", "//a", "http://a:65536", "http://[::1"]),
        (IdentifierKind.EMAIL, ["a@b", "a..b@c.br", "joão@exemplo.br", "a@-b.br", "a@b.c", f"{'a' * 65}@b.br"]),
    ],
)
def test_these_are_not(tmp_path: Path, kind: IdentifierKind, texts: list[str]) -> None:
    assert refused(create("duckdb"), Identifier("x", kind), [*texts], tmp_path) == texts
