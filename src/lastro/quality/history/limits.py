"""How far from what was expected a value may be, so that false alarms stay within a budget.

Rules:

1. The budget is how many false alarms a month of 30 days may have, on average: what one look may spend is the budget
   divided by the looks of a month, which the history itself tells.
2. If the next error is like the n before, whatever they are distributed as, it is beyond the k-th largest of them with
   a chance of at most k / (n + 1). As long as that is no more than one look may spend, the k-th largest is the limit.
3. With fewer errors, the limit is beyond the largest of them: by the factor that makes it rare enough for errors whose
   tails are not too heavy. If the chance S of an error larger than x falls at least with the power 2.5, S(c x) <=
   S(x) / c^2.5 beyond the largest error, then the chance is at most 1 / (c^2.5 (n + 1)). The tails of Student's t with
   three degrees of freedom are so.
4. A metric that never changed has no errors to go by. Its first change alarms once it was looked at for so long that,
   over all rates of change, no month has more first changes than the budget: `looks / (e budget)` times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

MONTH_DAYS = 30.0
TAIL = 2.5
DAY = 1.0


def looks_of_a_month(times: Sequence[float]) -> float:
    """How many values a month has, from ascending moments in days, the last of which is being looked at.

    A history shorter than a month goes on as it began; one shorter than a day is taken as a day.
    """
    span = times[-1] - times[0]
    if span >= MONTH_DAYS:
        return float(sum(times[-1] - time < MONTH_DAYS for time in times))
    return max(1.0, len(times) * MONTH_DAYS / max(span + span / max(1, len(times) - 1), DAY))


def reach(errors: Sequence[float], chance: float) -> tuple[float, float]:
    """How large the next error may be without alarm, at this chance of a false one: one of these errors, at least one,
    taken absolutely, and a factor.
    """
    largest = sorted((abs(error) for error in errors), reverse=True)
    counted = (len(largest) + 1) * chance + 1e-9
    if counted >= 1:
        return largest[min(len(largest), math.floor(counted)) - 1], 1.0
    return largest[0], math.pow(counted, -1 / TAIL)


def looks_at_rest(looks: float, budget: float) -> int:
    """How often a metric that never changes must have been looked at before its first change alarms."""
    return math.ceil(looks / (math.e * budget))
