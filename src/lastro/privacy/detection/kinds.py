"""The kinds of personal values, the class of each, and how easily a value is one by chance.

Rules:

1. Direct identifiers name one person, account or device. Quasi-identifiers do so together with others. Sensitive is
   what GDPR 9 and 10 and LGPD 5 II name. A feature tells of a person and does neither.
2. The chance is that of a value of the right form that was drawn at random; kinds without one have no check digits.
"""

from __future__ import annotations

from collections.abc import Mapping

from lastro.model.personal import PersonalClass

TEXT = "text"
"""Free text that holds identifiers."""

_KINDS: Mapping[PersonalClass, str] = {
    PersonalClass.IDENTIFIER: "cpf cnpj pis cnh titulo_eleitor cns renavam rg passport ssn card iban email phone ip mac"
    " imei plate pix name address account login person_id document device text",
    PersonalClass.QUASI: "cep postcode birth_date age gender city region location nationality marital_status occupation"
    " education household",
    PersonalClass.SENSITIVE: "race religion health disability union political biometric genetic sexual_life criminal",
    PersonalClass.FEATURE: "income",
}
CLASS_OF: Mapping[str, PersonalClass] = {kind: of for of, kinds in _KINDS.items() for kind in kinds.split()}

CHANCE: Mapping[str, float] = {
    "cpf": 0.011,
    "cnpj": 0.011,
    "pis": 0.11,
    "renavam": 0.11,
    "cnh": 0.011,
    "titulo_eleitor": 0.004,
    "cns": 0.03,
    "card": 0.03,
    "imei": 0.02,
    "iban": 0.011,
    "ssn": 0.9,
    "phone": 0.77,
    "plate": 0.4,
}
