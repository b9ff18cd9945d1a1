"""The contract of rows that were made coarser."""

from __future__ import annotations

from datetime import date

from lastro.contract import parse
from lastro.contract.recoded import made_from, recoded_contract
from lastro.model.personal import Classified, PersonalClass, Thresholds
from lastro.model.sample import Sample
from lastro.model.schema import Field, Primitive


def sample(name: str) -> Sample:
    return Sample(Field(name, Primitive.STRING), 9, 9, 0, False, None, None, None, (), None, all_read=True)


def test_it_reads_back_with_all_that_is_known():
    classes = {
        "uf": Classified("uf", PersonalClass.QUASI, "uf"),
        "illness": Classified("illness", PersonalClass.SENSITIVE),
    }

    text = recoded_contract(
        "shared",
        [sample("uf"), sample("illness"), sample("the note")],
        source="people@0",
        today=date(2026, 11, 26),
        classes=classes,
        thresholds=Thresholds(5, 2),
        done={"of": "people", "k": 5},
    )

    contract = parse(text, name="shared.odcs.yaml")
    assert made_from(contract) == "people"
    assert contract.personal.thresholds == Thresholds(5, 2)
    assert contract.personal.of("uf") == classes["uf"]
    assert contract.personal.protections == ()
