"""Telephone numbers: whether digits can be one, by the numbering plans of Brazil and North America, else by E.164.

Rules:

1. Brazil: an area code that is in use and eight digits from 2, or nine that begin with 9; a 0 may stand before, and 55
   before that. North America: area code and exchange begin with 2 to 9, and are no service code such as 911.
2. With a `+`, 8 to 15 digits that do not begin with 0 are a number of some country; of 55 and 1, by the rules above.
"""

from __future__ import annotations

import re

_AREA = "(?:1[1-9]|2[12478]|3[1-578]|4[1-9]|5[1345]|6[1-9]|7[134579]|8[1-9]|9[1-9])"
BRAZIL = rf"0?{_AREA}(?:[2-8][0-9]{{7}}|9[0-9]{{7,8}})"
AMERICA = "[2-9][0-8][0-9][2-9][0-9]{6}"
NUMBER = rf"(?:\+?55)?{BRAZIL}|\+?1?{AMERICA}|\+(?:[2-4]|5[0-46-9]|[6-9])[0-9]{{7,14}}"
_NUMBER = re.compile(NUMBER)


def is_number(compact: str) -> bool:
    """True if digits without separators, with or without a `+`, can be a telephone number."""
    return bool(_NUMBER.fullmatch(compact))
