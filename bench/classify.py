"""Classification of columns: how many personal ones are found, what else is taken for one, and at what cost.

Rules:

1. Columns are made by the library Faker, in pt_BR and en_US, from a seed that nothing was tuned on (tuning used 1). Its
   names are not ours: of the given names that it knows, a part is on no list of Lastro's, and those that are on none
   make columns of their own.
2. Kinds that values tell stand under names that say nothing. Those that only a name tells stand under that name. Decoys
   have equal shape: numbers of the same length without check digits, codes, prices, cities, firms, products, moments,
   and such values under a name that tells of something personal.
3. A column counts as found if its class is that of its kind; a decoy that gets a personal class is a false positive.
4. Presidio runs on the first rows of the same columns, in the same process, with its patterns alone on a blank spaCy
   model; the costs are CPU time per cell. Where it or Faker is not installed, that is said in the figure's place.
"""

from __future__ import annotations

import logging
import random
import re
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pyarrow as pa

from bench.figure import SMALL, Figure, Size
from lastro.model.personal import OF_PERSONS
from lastro.privacy.detection.columns import column
from lastro.privacy.detection.kinds import CLASS_OF
from lastro.privacy.detection.people import GIVEN
from lastro.privacy.detection.proposal import Proposal

SEEDS = (20_261_126, 7, 99)
F1, TIMES = 0.98, 300
FINDING = "personal columns told from decoys, pt_BR and en_US, held-out seeds (F1)"
COST = "columns classified, against Presidio with its patterns alone"
Make = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Made:
    """A column: its name, its kind (empty for a decoy) and its values."""

    name: str
    kind: str
    values: list[Any]  # Any: texts or numbers


def figures(size: Size) -> Iterator[Figure]:
    """Found and mistaken columns, and the cost against Presidio's."""
    if find_spec("faker") is None:
        yield Figure(FINDING, f">= {F1}, 0 false", "–", met=False, details="Faker is not installed")
        return
    rows = 200 if size is SMALL else 2_000
    sets = [made_columns(seed, rows) for seed in (SEEDS[:1] if size is SMALL else SEEDS)]
    yield _found(sets)
    if size is SMALL:
        return
    if find_spec("presidio_analyzer") is None:
        yield Figure(COST, f">= {TIMES}x", "–", met=False, details="Presidio is not installed")
    else:
        yield _cost(sets[0])


def made_columns(seed: int, rows: int) -> list[Made]:
    """The columns of one seed."""
    from faker import Faker

    random.seed(seed)
    Faker.seed(seed)
    brazil, america = Faker("pt_BR"), Faker("en_US")
    makers = [*_by_values(brazil, america), *_by_name(brazil, america), *_decoys(brazil, america)]
    return [Made(name, kind, [make() for _row in range(rows)]) for name, kind, make in makers]


def _digits(count: int) -> str:
    return str(random.randrange(10 ** (count - 1), 10**count))


def _by_values(brazil: Any, america: Any) -> Iterator[tuple[str, str, Make]]:  # Any: Faker has no types
    made: list[tuple[str, Make]] = [
        ("cpf", brazil.cpf),
        ("cpf", lambda: re.sub(r"\D", "", brazil.cpf())),
        ("cpf", lambda: int(re.sub(r"\D", "", brazil.cpf()))),
        ("cpf", lambda: brazil.cpf() if random.random() < 0.7 else "N/A"),
        ("cpf", lambda: brazil.cpf() if random.random() < 0.5 else brazil.cnpj()),
        ("cnpj", brazil.cnpj),
        ("cnpj", lambda: re.sub(r"\D", "", brazil.cnpj())),
        ("cnpj", _lettered_cnpj),
        ("pis", lambda: _with_check("pis", _digits(10))),
        ("cnh", lambda: _with_check("cnh", _digits(9))),
        ("titulo_eleitor", lambda: _with_check("titulo_eleitor", _digits(8) + f"{random.randint(1, 28):02}")),
        ("cns", lambda: _with_check("cns", random.choice("789") + _digits(13))),
        ("email", brazil.email),
        ("email", america.company_email),
        ("phone", brazil.cellphone_number),
        ("phone", brazil.phone_number),
        ("phone", america.phone_number),
        ("name", brazil.name),
        ("name", america.name),
        ("name", lambda: brazil.name().upper()),
        ("name", lambda: f"{america.last_name()}, {america.first_name()}"),
        ("name", brazil.first_name),
        ("name", america.first_name),
        ("address", brazil.street_address),
        ("address", america.street_address),
        ("address", lambda: america.address().replace("\n", ", ")),
        ("card", america.credit_card_number),
        ("card", lambda: int(brazil.credit_card_number())),
        ("iban", lambda: america.iban() if random.random() < 0.5 else brazil.iban()),
        ("ssn", america.ssn),
        ("ip", america.ipv4),
        ("ip", america.ipv6),
        ("mac", america.mac_address),
        ("plate", _plate),
        ("text", lambda: (f"Contato: {brazil.email()} " if random.random() < 0.5 else "") + brazil.text()),
        ("text", lambda: f"CPF {brazil.cpf()} não confere" if random.random() < 0.5 else brazil.sentence()),
        ("text", lambda: f"call me at {_american()} please" if random.random() < 0.5 else america.sentence()),
        ("gender", lambda: random.choice(("Masculino", "Feminino"))),
        ("race", lambda: random.choice(("Branca", "Preta", "Parda", "Amarela", "Indígena"))),
    ]
    for number, (kind, make) in enumerate(made):
        yield f"{random.choice(('c', 'col_', 'campo', 'v', 'x'))}{number}", kind, make


def _by_name(brazil: Any, america: Any) -> Iterator[tuple[str, str, Make]]:  # Any: Faker has no types
    unknown = _unknown_given(brazil, america)
    yield from (
        ("rg", "rg", brazil.rg),
        ("nr_rg_titular", "rg", brazil.rg),
        ("data_nascimento", "birth_date", brazil.date_of_birth),
        ("dtNasc", "birth_date", lambda: brazil.date_of_birth().strftime("%d/%m/%Y")),
        ("date_of_birth", "birth_date", lambda: str(america.date_of_birth())),
        ("DOB", "birth_date", lambda: america.date_of_birth().strftime("%m/%d/%Y")),
        ("cep", "cep", brazil.postcode),
        ("CodigoPostal", "cep", lambda: re.sub(r"\D", "", brazil.postcode())),
        ("zip_code", "postcode", america.postcode),
        ("nome_completo", "name", lambda: f"{random.choice(unknown)} {brazil.last_name()}"),
        ("firstName", "name", lambda: random.choice(unknown)),
        ("sobrenome", "name", brazil.last_name),
        ("last_name", "name", america.last_name),
        ("telefoneCelular", "phone", lambda: f"{random.choice((11, 21, 31))}9{_digits(8)}"),
        ("phone", "phone", lambda: int(f"{random.choice((212, 415, 646))}{random.randint(200, 999)}{_digits(4)}")),
        ("sexo", "gender", lambda: random.choice("MF")),
        ("gender", "gender", lambda: random.randint(1, 2)),
        ("idade", "age", lambda: random.randint(18, 95)),
        ("age_group", "age", lambda: random.choice(("18-24", "25-34", "35-44", "45+"))),
        ("cidade", "city", brazil.city),
        ("city", "city", america.city),
        ("latitude", "location", lambda: float(brazil.latitude())),
        ("geoLng", "location", lambda: float(america.longitude())),
        ("estado_civil", "marital_status", lambda: random.choice(("S", "C", "D", "V"))),
        ("profissao", "occupation", brazil.job),
        ("job_title", "occupation", america.job),
        ("raca_cor", "race", lambda: random.randint(1, 5)),
        ("ethnicity", "race", lambda: random.choice(("A", "B", "C"))),
        ("religiao", "religion", lambda: random.choice(("católica", "evangélica", "espírita", "nenhuma"))),
        ("tipo_sanguineo", "health", lambda: random.choice(("A+", "O-", "AB+"))),
        ("diagnostico", "health", lambda: random.choice(("J45", "E11", "I10"))),
        ("filiacao_sindical", "union", lambda: random.choice((True, False))),
        ("political_party", "political", lambda: random.choice(("P1", "P2", "P3"))),
        ("orientacaoSexual", "sexual_life", lambda: random.choice(("1", "2", "3"))),
        ("passport_number", "passport", lambda: america.bothify("??######").upper()),
        ("customer_id", "person_id", america.uuid4),
        ("matricula", "person_id", lambda: int(_digits(6))),
        ("chave_pix", "pix", lambda: brazil.cpf() if random.random() < 0.5 else brazil.email()),
        ("cpfCliente", "cpf", brazil.cpf),
        ("nu_cpf", "cpf", lambda: int(re.sub(r"\D", "", brazil.cpf()))),
        ("renavam", "renavam", lambda: _with_check("pis", _digits(10))),
        ("placa", "plate", lambda: brazil.bothify("???-####").upper()),
        ("username", "login", america.user_name),
        ("ssn", "ssn", lambda: america.ssn().replace("-", "")),
    )


def _decoys(brazil: Any, america: Any) -> Iterator[tuple[str, str, Make]]:  # Any: Faker has no types
    made: tuple[tuple[str, Make], ...] = (
        ("d1", lambda: _digits(11)),
        ("d2", lambda: int(_digits(11))),
        ("d3", lambda: _digits(14)),
        ("d4", lambda: _digits(16)),
        ("d5", lambda: _digits(15)),
        ("d6", lambda: f"{_digits(3)}.{_digits(3)}.{_digits(3)}-{_digits(2)}"),
        ("d7", lambda: f"{random.randrange(1000):03}-{_digits(2)}-{_digits(4)}"),
        ("d8", lambda: america.bothify("(##) ####-####")),
        ("d9", lambda: america.bothify("GB##????##############").upper()),
        ("d10", lambda: america.bothify("???-####").upper()),
        ("d11", lambda: america.bothify("#####-###")),
        ("d12", america.uuid4),
        ("d13", lambda: f"{random.random() * 1000:.2f}"),
        ("d14", lambda: random.random() * 1000),
        ("d15", brazil.city),
        ("d16", america.city),
        ("d17", brazil.company),
        ("d18", america.company),
        ("d19", america.bs),
        ("d20", america.catch_phrase),
        ("d21", lambda: random.choice(("ativo", "inativo", "pendente"))),
        ("d22", america.iso8601),
        ("d23", lambda: str(america.date_this_decade())),
        ("d24", lambda: america.bothify("??-#####").upper()),
        ("d25", lambda: _digits(8)),
        ("d26", lambda: ".".join(str(random.randint(0, 30)) for _part in range(4))),
        ("d27", america.sha256),
        ("d28", america.color_name),
        ("d29", brazil.sentence),
        ("d30", america.url),
        ("d31", lambda: random.randint(1_500_000_000, 1_800_000_000)),
        ("d32", lambda: america.word().capitalize()),
        ("d33", america.country),
        ("d34", america.ean13),
        ("d35", america.isbn13),
        ("d36", america.file_name),
        ("d37", lambda: f"order {_digits(11)} shipped in box {_digits(16)}"),
        ("d38", brazil.bairro),
        ("d39", america.month_name),
        ("d40", lambda: random.choice(("Preta", "Branca", "Amarela", "Azul", "Verde"))),
        ("d41", lambda: america.bothify("??#?###").upper()),
        ("cpf", lambda: round(random.random() * 1000, 2)),
        ("cpf_cliente", lambda: _digits(11)),
        ("nome_produto", lambda: f"{america.word().capitalize()} {america.word()}"),
        ("company_name", america.company),
        ("email_verified", lambda: random.choice((True, False))),
        ("email_count", lambda: random.randint(0, 9)),
        ("phone_type", lambda: random.choice(("home", "work"))),
        ("card_brand", lambda: random.choice(("visa", "elo"))),
        ("ip_version", lambda: random.choice((4, 6))),
        ("event_name", lambda: random.choice(("click", "view", "buy"))),
        ("file_name", america.file_name),
        ("order_id", lambda: int(_digits(9))),
        ("account_age_days", lambda: random.randint(0, 4_000)),
        ("valor_credito", lambda: round(random.random() * 10_000, 2)),
        ("created_at", america.iso8601),
        ("score", random.random),
        ("product_code", lambda: america.bothify("#####-###")),
        ("hostname", america.hostname),
        ("numero_pedido", lambda: _digits(11)),
        ("mean_temperature", lambda: random.uniform(-10, 40)),
        ("language", america.language_name),
    )
    for name, make in made:
        yield name, "", make


def _unknown_given(brazil: Any, america: Any) -> list[str]:  # Any: Faker has no types
    """Given names of Faker's that are on no list of Lastro's."""
    found = {maker.first_name() for maker in (brazil, america) for _try in range(3_000)}
    return sorted(name for name in found if name.casefold() not in GIVEN)


def _american() -> str:
    return f"{random.choice((212, 415, 646))}-{random.randint(200, 999)}-{_digits(4)}"


def _plate() -> str:
    letters = "".join(random.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZ", k=3))
    return f"{letters}{random.randint(0, 9)}{random.choice('ABCDEFGHIJ')}{random.randint(0, 99):02}"


def _with_check(kind: str, body: str) -> str:
    """The body with the one ending that holds its check digits, as the other way round would find it."""
    from lastro.privacy.detection import check_digits

    check = {
        "pis": check_digits.pis,
        "cnh": check_digits.cnh,
        "titulo_eleitor": check_digits.voter,
        "cns": check_digits.cns,
    }[kind]
    length = 1 if kind in {"pis", "cns"} else 2
    tried = [body + f"{end:0{length}}" for end in range(10**length)]
    held = [text for text, holds in zip(tried, check(check_digits.matrix(tried)).tolist(), strict=True) if holds]
    return held[0] if held else _with_check(kind, _next(body))


def _next(body: str) -> str:
    return body[:-3] + f"{(int(body[-3:]) + 7) % 1000:03}" if len(body) < 10 else f"{int(body) + 100:0{len(body)}}"


def _lettered_cnpj() -> str:
    """A CNPJ as issued since July 2026, by its rule: modulo 11 over the character's code less 48."""
    body = "".join(random.choices("ABCDEFGHJKLMNPRSTVWXYZ0123456789", k=8)) + "0001"
    for weights in ((5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2), (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)):
        rest = sum((ord(each) - 48) * weight for each, weight in zip(body, weights, strict=True)) % 11
        body += str(0 if rest < 2 else 11 - rest)
    return f"{body[:2]}.{body[2:5]}.{body[5:8]}/{body[8:12]}-{body[12:]}"


def mistakes(made: list[Made], proposals: list[Proposal]) -> tuple[list[Made], list[Made]]:
    """The personal columns that were not told as what they are, and the decoys that were told as personal."""
    missed, wrong = [], []
    for each, found in zip(made, proposals, strict=True):
        if each.kind and found.of is not CLASS_OF[each.kind]:
            missed.append(each)
        if not each.kind and found.of in OF_PERSONS:
            wrong.append(each)
    return missed, wrong


def _found(sets: list[list[Made]]) -> Figure:
    missed, wrong, kinds, total = 0, 0, 0, 0
    for made in sets:
        proposals = [column(each.name, pa.array(each.values)) for each in made]
        lost, taken = mistakes(made, proposals)
        missed, wrong, total = missed + len(lost), wrong + len(taken), total + sum(bool(each.kind) for each in made)
        kinds += sum(found.kind == each.kind for each, found in zip(made, proposals, strict=True) if each.kind)
    held = total - missed
    f1 = 2 * held / (2 * held + missed + wrong)
    decoys = sum(len(made) for made in sets) - total
    details = (
        f"{held} of {total} personal columns found in {len(sets)} sets, {kinds} with their very kind; "
        f"{wrong} of {decoys} decoys taken for personal; {len(sets[0][0].values):,} rows each"
    )
    return Figure(FINDING, f">= {F1}, 0 false", f"{f1:.3f}, {wrong} false", f1 >= F1 and not wrong, details)


def _cost(made: list[Made], *, rows: int = 50) -> Figure:
    arrays = [(each.name, pa.array(each.values)) for each in made]
    for name, values in arrays[:5]:
        column(name, values)
    began = time.process_time()
    for name, values in arrays:
        column(name, values)
    cells = sum(len(values) for _name, values in arrays)
    ours = (time.process_time() - began) / cells
    analyzer = presidio()
    texts = [str(value) for each in made for value in each.values[:rows]]
    began = time.process_time()
    for text in texts:
        analyzer.analyze(text, language="en", score_threshold=0.4)
    theirs = (time.process_time() - began) / len(texts)
    details = (
        f"{1e-3 / ours:,.0f} thousand cells/s against {1e-3 / theirs:,.2f}; CPU time of {cells:,} and {len(texts):,}"
    )
    return Figure(COST, f">= {TIMES}x", f"{theirs / ours:,.0f}x", theirs >= TIMES * ours, details)


def presidio() -> Any:  # Any: Presidio is optional, and none of our types
    """Presidio's analyzer with its predefined patterns on a blank model, so that no language model is paid for."""
    warnings.filterwarnings("ignore")
    logging.getLogger("presidio-analyzer").setLevel(logging.CRITICAL)
    analyzer, engines = import_module("presidio_analyzer"), import_module("presidio_analyzer.nlp_engine")
    spacy, domains = import_module("spacy"), import_module("tldextract.tldextract")
    domains.TLD_EXTRACTOR = domains.TLDExtract(suffix_list_urls=())  # its list as installed: it would ask the network

    class Blank(engines.SpacyNlpEngine):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.nlp = {"en": spacy.blank("en")}

        def is_loaded(self) -> bool:
            return True

    registry = analyzer.RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    return analyzer.AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])
