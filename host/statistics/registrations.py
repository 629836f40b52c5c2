"""Every statistic a protocol can name. Light: what computes them is loaded when it is called.

A plain table and no hook: a statistic decides a verdict, which has to be the same wherever it is computed again.
"""

from collections.abc import Mapping
from functools import cache

from host.statistics.registration import StatisticRegistration


@cache
def statistics() -> Mapping[str, StatisticRegistration]:
    """Registered statistics by name."""
    from host.statistics.registered import (
        classes,
        lesions,
        numbers,
        replicates,
        survival,
        values,
        versions,
    )

    families = (values, numbers, versions, replicates, classes, lesions, survival)
    return {one.name: one for family in families for one in family.STATISTICS}
