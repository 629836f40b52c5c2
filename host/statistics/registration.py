"""A statistic as protocols name it: what it is, which cases and columns it is computed from, and how.

Light to import: the formulas, and numpy with them, are loaded by the functions that compute.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from host.statistics.estimate import Estimate

if TYPE_CHECKING:
    from host.statistics.bootstrap import Indices
    from host.statistics.cases import Cases, Flags

OptionValue = int | float | str
Options = Mapping[str, OptionValue]
BOOTSTRAPS: Final = ("bca", "percentile")


@dataclass(frozen=True, kw_only=True)
class Option:
    """What a criterion may, or must, say beside the statistic's name.

    Attributes
    ----------
    name : str
    summary : str
        What it decides, with its unit.
    minimum, maximum : float
        Of a number, both excluded: an option at its limit makes no sense.
    default : float or None
        Without one, a criterion must give it.
    is_stratum : bool
        Whether it names a stratum instead of being a number.
    """

    name: str
    summary: str
    minimum: float = 0.0
    maximum: float = math.inf
    default: float | None = None
    is_stratum: bool = False

    def fault(self, given: OptionValue) -> str:
        """Why a value cannot be used; empty where it can."""
        if self.is_stratum or isinstance(given, str):
            return "" if self.is_stratum and isinstance(given, str) else f"{self.summary}; not {given!r}"
        inside = self.minimum < given < self.maximum
        return "" if inside else f"lies between {self.minimum:g} and {self.maximum:g}, not at {given:g}"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """How a statistic is to be computed.

    Attributes
    ----------
    level : float
        Coverage of the two-sided interval.
    method : str
        One of the statistic's own methods.
    options : mapping
        Every option, defaults filled in.
    """

    level: float
    method: str
    options: Options = field(default_factory=dict)

    def number(self, name: str) -> float:
        """An option that is a number."""
        return float(self.options[name])


@dataclass(frozen=True, kw_only=True)
class StatisticRegistration:
    """A statistic of the cases of a scope.

    Attributes
    ----------
    name : str
        As protocols name it.
    definition : str
        One sentence with the empty case.
    source : str
        Author, year.
    kinds : tuple of str
        Kinds of metrics it takes; empty for every metric that has a value per case.
    columns : tuple of str
        What it reads of each case: ``value``, or observations of the metric.
    unit : str
        ``1``, or whose unit it has: ``metric`` or ``measured`` (the unit of the column compared).
    compute : callable
        From cases and what is asked to an `Estimate` with an interval by the statistic's own method.
    methods : tuple of str
        Own methods, for one case per subject; the first is the default.
    clustered_methods : tuple of str
        Own methods that take several cases per subject; the first is then the default.
    bootstraps : bool
        Whether resampling subjects makes sense for it.
    quick_method : str
        Which of its methods the value is computed by in a resample, where the others cost more.
    options : tuple of Option
    least, most : float
        What it can be at all: a bound outside makes no sense.
    counts_false_positives : bool
        Whether an answer can lose by saying too much, so that a failed case would win by saying nothing.
    resampled : callable or None
        From cases to a function from the indices of a resample to its value, where that is faster than ``compute``.
    concerns : callable or None
        Which cases say anything on it, where not all do: those with a lesion, for a sensitivity.
    """

    name: str
    definition: str
    source: str
    columns: tuple[str, ...]
    compute: Callable[["Cases", Asked], Estimate]
    kinds: tuple[str, ...] = ()
    unit: Literal["1", "metric", "measured"] = "1"
    methods: tuple[str, ...] = ()
    clustered_methods: tuple[str, ...] = ()
    bootstraps: bool = True
    quick_method: str = ""
    options: tuple[Option, ...] = ()
    least: float = -math.inf
    most: float = math.inf
    counts_false_positives: bool = False
    resampled: Callable[["Cases", Asked], Callable[["Indices"], float]] | None = None
    concerns: Callable[["Cases"], "Flags"] | None = None

    @property
    def offered(self) -> tuple[str, ...]:
        """Every method of making its interval."""
        return (*self.methods, *self.clustered_methods, *(BOOTSTRAPS if self.bootstraps else ()))

    def complete(self, given: Options) -> dict[str, OptionValue]:
        """Every option, as given or by default.

        Raises
        ------
        ValueError
            One that there is not, that is missing, or whose value makes no sense.
        """
        known = {option.name: option for option in self.options}
        if unknown := sorted(set(given) - set(known)):
            has = ", ".join(known) or "none"
            raise ValueError(f"options: {self.name} has no {unknown[0]!r}; it has: {has}")
        found: dict[str, OptionValue] = {}
        for name, option in known.items():
            value: Any = given.get(name, option.default)
            if value is None:
                raise ValueError(f"options: {self.name} needs {name}: {option.summary}")
            if fault := option.fault(value):
                raise ValueError(f"options: {name} {fault}")
            found[name] = value
        return found
