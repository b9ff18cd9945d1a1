"""Words that tell what a column is about, whatever its name: few values, all of them from one small vocabulary."""

from __future__ import annotations

from collections.abc import Mapping

from lastro.privacy.detection.forms import plain_words
from lastro.privacy.detection.sampled import Nature, Sampled

DISTINCT_MAX = 40


def vocabulary_kind(column: Sampled) -> str:
    """The kind whose words most of a column's values are, at least so many as it takes; empty if there is none."""
    if column.nature is not Nature.TEXT or not 1 < column.distinct <= DISTINCT_MAX:
        return ""
    values = [" ".join(plain_words(text)) for text in column.texts.to_pylist()]
    for kind, (known, telling, needed) in _VOCABULARIES.items():
        hits = [value for value in values if value in known]
        if len(hits) >= max(needed, 0.8 * len(values)) and (not telling or telling.intersection(hits)):
            return kind
    return ""


def _phrases(text: str) -> frozenset[str]:
    return frozenset(each.strip() for each in text.split(";"))


_VOCABULARIES: Mapping[str, tuple[frozenset[str], frozenset[str], int]] = {
    "gender": (
        _phrases(
            "male; female; masculino; feminino; homem; mulher; man; woman; non-binary; nonbinary; nao binario;"
            " nao-binario"
            "; other; outro; unknown; nao informado; prefer not to say; transgender; transgenero"
        ),
        _phrases("male; female; masculino; feminino; homem; mulher; man; woman"),
        2,
    ),
    "race": (
        _phrases(
            "branca; branco; preta; preto; parda; pardo; amarela; amarelo; indigena; negra; negro; nao declarada"
            "; nao informado; nao declarado; white; black; asian; hispanic; latino; black or african american"
            "; native american; pacific islander; african american; hispanic or latino; american indian;"
            " caucasian; other"
            "; american indian or alaska native; native hawaiian or other pacific islander; two or more races; outra"
        ),
        _phrases("parda; pardo; indigena; hispanic; latino; african american; black or african american; caucasian"),
        3,
    ),
    "religion": (
        _phrases(
            "catolica; catolico; catholic; evangelica; evangelico; evangelical; protestant; protestante;"
            " espirita; judaica"
            "; judeu; jewish; muslim; muculmano; islam; islamica; hindu; hinduism; buddhist; budista; umbanda;"
            " candomble"
            "; atheist; ateu; agnostic; agnostico; christian; crista; cristao; sem religiao; none; outra; other;"
            " judaism"
            "; christianity; buddhism"
        ),
        frozenset(),
        3,
    ),
    "marital_status": (
        _phrases(
            "single; married; divorced; widowed; separated; solteiro; solteira; casado; casada; divorciado; divorciada"
            "; viuvo; viuva; separado; separada; uniao estavel; solteiro(a); casado(a); divorciado(a); viuvo(a)"
            "; separado(a); domestic partnership; never married; outro; other"
        ),
        frozenset(),
        3,
    ),
    "health": (
        _phrases("a+; a-; b+; b-; ab+; ab-; o+; o-"),
        _phrases("ab+; ab-; o+; o-"),
        4,
    ),
    "sexual_life": (
        _phrases(
            "heterosexual; homosexual; bisexual; gay; lesbian; asexual; straight; heterossexual; homossexual; bissexual"
            "; lesbica; pansexual; pansexual; assexual; other; outro; prefer not to say; nao informado"
        ),
        _phrases("heterosexual; homosexual; bisexual; heterossexual; homossexual; bissexual"),
        2,
    ),
}
