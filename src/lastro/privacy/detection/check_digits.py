"""Check digits and structures of identifiers, for many texts of one length at once.

Rules:

1. Every function takes a matrix with a row for each text and a column for each character, as its ASCII code less 48,
   and gives a row's truth. Texts that are no digits where digits belong are for the caller to leave out.
2. CPF, CNPJ, PIS and RENAVAM: weighted sums modulo 11; a CNPJ may have capitals in its first twelve places. PIS and
   RENAVAM have the same check digit: no value tells them apart.
3. CNH: two sums modulo 11, the second lowered by 2 where the first gives 10. Título de eleitor: two sums modulo 11,
   the second over the number of its state (01 to 28). CNS: one sum modulo 11 that is 0, and
   of those that begin with 1 or 2, which are made of a PIS, 000 or 001 before the last digit.
4. Card: Luhn's sum, and a beginning that is given to cards of that length. IMEI: Luhn's sum of 15 digits.
5. A number of one digit repeated is none, whatever its sum.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Digits = NDArray[np.int64]
    Truth = NDArray[np.bool_]

Check = Callable[["Digits"], "Truth"]

_CNPJ_WEIGHTS = (6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2)
_STATES = 28


def matrix(texts: Sequence[str]) -> Digits:
    """The texts – at least one, ASCII, all of one length – as a matrix."""
    import numpy as np

    found: Digits = np.frombuffer("".join(texts).encode(), np.uint8).reshape(len(texts), -1).astype(np.int64) - 48
    return found


def cpf(digits: Digits) -> Truth:
    """Whether 11 digits are a CPF."""
    first = _digit(digits[:, :9] @ _falling(10, 2))
    second = _digit(digits[:, :10] @ _falling(11, 2))
    found: Truth = (first == digits[:, 9]) & (second == digits[:, 10]) & ~_repeated(digits)
    return found


def cnpj(digits: Digits) -> Truth:
    """Whether 14 characters, the last two of which are digits, are a CNPJ."""
    import numpy as np

    weights = np.array(_CNPJ_WEIGHTS)
    first = _digit(digits[:, :12] @ weights[1:])
    second = _digit(digits[:, :13] @ weights)
    found: Truth = (first == digits[:, 12]) & (second == digits[:, 13]) & ~_repeated(digits)
    return found


def pis(digits: Digits) -> Truth:
    """Whether 11 digits have the check digit of a PIS or NIS, which is a RENAVAM's, too."""
    import numpy as np

    last = _digit(digits[:, :10] @ np.array((3, 2, 9, 8, 7, 6, 5, 4, 3, 2)))
    found: Truth = (last == digits[:, 10]) & ~_repeated(digits)
    return found


def cnh(digits: Digits) -> Truth:
    """Whether 11 digits are the number of a driving licence."""
    import numpy as np

    one = digits[:, :9] @ _falling(9, 1) % 11
    two = digits[:, :9] @ _falling(9, 1)[::-1] % 11
    lowered = np.where(one == 10, 2, 0)
    second = (two - lowered) % 11 % 10
    found: Truth = (np.where(one == 10, 0, one) == digits[:, 9]) & (second == digits[:, 10]) & ~_repeated(digits)
    return found


def voter(digits: Digits) -> Truth:
    """Whether 12 digits are a título de eleitor."""
    import numpy as np

    state = digits[:, 8] * 10 + digits[:, 9]
    lenient = state <= 2  # São Paulo and Minas Gerais count a remainder of 0 as 1
    one = digits[:, :8] @ np.arange(2, 10) % 11
    first = np.where(one == 10, 0, np.where(lenient & (one == 0), 1, one))
    two = (digits[:, 8] * 7 + digits[:, 9] * 8 + first * 9) % 11
    second = np.where(two == 10, 0, np.where(lenient & (two == 0), 1, two))
    held = (first == digits[:, 10]) & (second == digits[:, 11])
    found: Truth = held & (state >= 1) & (state <= _STATES) & ~_repeated(digits)
    return found


def cns(digits: Digits) -> Truth:
    """Whether 15 digits are a number of the national health card."""
    import numpy as np

    made_of_pis = np.isin(digits[:, 0], (1, 2)) & (digits[:, 11] == 0) & (digits[:, 12] == 0) & (digits[:, 13] <= 1)
    begins = made_of_pis | np.isin(digits[:, 0], (7, 8, 9))
    found: Truth = begins & (digits @ _falling(15, 1) % 11 == 0) & ~_repeated(digits)
    return found


def luhn(digits: Digits) -> Truth:
    """Whether Luhn's sum of the digits ends in 0."""
    backwards = digits[:, ::-1]
    doubled = backwards[:, 1::2] * 2
    total = backwards[:, ::2].sum(axis=1) + (doubled - 9 * (doubled > 9)).sum(axis=1)
    found: Truth = (total % 10 == 0) & ~_repeated(digits)
    return found


def card(digits: Digits) -> Truth:
    """Whether 13 to 19 digits are the number of a payment card."""
    import numpy as np

    length = digits.shape[1]
    four = digits[:, :4] @ np.array((1000, 100, 10, 1))
    two = four // 100
    match length:
        case 13:
            begins = two // 10 == 4
        case 14:
            begins = np.isin(two, (30, 36, 38, 39))
        case 15:
            begins = np.isin(two, (34, 37)) | np.isin(four, (1800, 2131))
        case 16:
            master = ((two >= 50) & (two <= 58)) | ((four >= 2221) & (four <= 2720))
            begins = (two // 10 == 4) | master | (two // 10 == 6) | (two == 35) | np.isin(two, (36, 38))
        case _:
            begins = (two // 10 == 4) | (two // 10 == 6) | np.isin(two, (50, 56, 57, 58, 35))
    found: Truth = begins & luhn(digits)
    return found


def imei(digits: Digits) -> Truth:
    """Whether 15 digits are the number of a mobile device, and of no card."""
    import numpy as np

    reporting = np.isin(digits[:, 0] * 10 + digits[:, 1], (1, 35, 44, 45, 49, 50, 51, 52, 53, 86, 91, 98, 99))
    found: Truth = reporting & luhn(digits)
    return found


def ssn(digits: Digits) -> Truth:
    """Whether 9 digits can be a US social security number: no area 000, 666 or 9xx, no group 00, no serial 0000."""
    import numpy as np

    area = digits[:, :3] @ np.array((100, 10, 1))
    group = digits[:, 3] * 10 + digits[:, 4]
    serial = digits[:, 5:9] @ np.array((1000, 100, 10, 1))
    found: Truth = (area > 0) & (area != 666) & (area < 900) & (group > 0) & (serial > 0)
    return found


def iban(text: str) -> bool:
    """Whether capitals and digits without blanks have the check digits of an IBAN, and its country's length."""
    from lastro.model.iban import LENGTHS

    if LENGTHS.get(text[:2]) != len(text):
        return False
    return int("".join(str(int(each, 36)) for each in text[4:] + text[:4])) % 97 == 1


def _falling(first: int, last: int) -> Digits:
    import numpy as np

    found: Digits = np.arange(first, last - 1, -1)
    return found


def _digit(total: Digits) -> Digits:
    """11 less the sum modulo 11, 10 and 11 being 0."""
    found: Digits = (11 - total % 11) % 11 % 10
    return found


def _repeated(digits: Digits) -> Truth:
    found: Truth = (digits == digits[:, :1]).all(axis=1)
    return found
