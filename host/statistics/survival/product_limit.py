"""The product-limit estimate, of staying free of the event or of censoring, and how each case pulls on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]
Indices = NDArray[np.int64]


@dataclass(frozen=True)
class FollowUp:
    """How long each case was followed, and whether that ended with the event.

    Attributes
    ----------
    time : ndarray of float, shape (n,)
    event : ndarray of bool, shape (n,)
        False where the case was censored then.
    """

    time: Numbers
    event: Flags

    @classmethod
    def of(cls, time: ArrayLike, event: ArrayLike) -> "FollowUp":
        """From what a caller has.

        Raises
        ------
        ValueError
            If lengths differ.
        """
        times, flags = np.asarray(time, float), np.asarray(event, bool)
        if times.shape != flags.shape or times.ndim != 1:
            raise ValueError(f"shapes {times.shape} of times and {flags.shape} of events")
        return cls(times, flags)

    def column(self, values: ArrayLike) -> Numbers:
        """One number per case.

        Raises
        ------
        ValueError
            If there are not as many.
        """
        found = np.asarray(values, float)
        if found.shape != self.time.shape:
            raise ValueError(f"shapes {found.shape} of predictions and {self.time.shape} of times")
        return found

    @property
    def fault(self) -> str:
        """Why nothing can be computed from it; empty where something can."""
        if not len(self.time):
            return "there is no case"
        odd = len(self.time) - int((np.isfinite(self.time) & (self.time >= 0)).sum())
        return f"{odd} times are not lengths of time" if odd else ""


@dataclass(frozen=True)
class ProductLimit:
    """Probability of going on beyond a time (Kaplan and Meier 1958).

    Attributes
    ----------
    times : ndarray of float, shape (k,)
        When it falls, rising.
    at_risk, fallen : ndarray of float, shape (k,)
        How many could fall then, and did.
    survival : ndarray of float, shape (k,)
        Right after each of those times.
    exposed : ndarray of int, shape (n,)
        Number of those times at which each case was at risk.
    own : ndarray of int, shape (n,)
        Which of those times is the case's own; -1 where it did not fall.
    """

    times: Numbers
    at_risk: Numbers
    fallen: Numbers
    survival: Numbers
    exposed: Indices
    own: Indices

    @classmethod
    def of_events(cls, follow_up: FollowUp) -> "ProductLimit":
        """Of staying free of the event. A case censored at the time of an event was at risk of it."""
        return cls._of(follow_up.time, follow_up.event, np.full(len(follow_up.time), True))

    @classmethod
    def of_censoring(cls, follow_up: FollowUp) -> "ProductLimit":
        """Of staying under observation. A case with its event at the time of a censoring was not at risk of that."""
        return cls._of(follow_up.time, ~follow_up.event, ~follow_up.event)

    @classmethod
    def _of(cls, time: Numbers, falls: Flags, exposed_at_own: Flags) -> "ProductLimit":
        times, fallen = np.unique(time[falls], return_counts=True)
        exposed = np.where(
            exposed_at_own, np.searchsorted(times, time, "right"), np.searchsorted(times, time, "left")
        )
        # At risk at the j-th time are the cases exposed at more than j of them.
        at_risk = len(time) - np.searchsorted(np.sort(exposed), np.arange(len(times)), "right")
        own = np.where(falls, np.searchsorted(times, time), -1)
        survival = np.cumprod(1 - fallen / at_risk, dtype=np.float64)
        return cls(times, at_risk.astype(float), fallen.astype(float), survival, exposed, own)

    def at(self, time: ArrayLike) -> Numbers:
        """Probability of going on beyond each time."""
        return self._after(np.searchsorted(self.times, np.asarray(time, float), "right"))

    def before(self, time: ArrayLike) -> Numbers:
        """Probability of reaching each time."""
        return self._after(np.searchsorted(self.times, np.asarray(time, float), "left"))

    def _after(self, falls: Indices) -> Numbers:
        steps: Numbers = np.concatenate([[1.0], self.survival])
        return steps[falls]

    def log_pulls(self, time: Numbers, amounts: Numbers, *, before: bool) -> Numbers:
        """Derivative of a sum of logarithms of this probability by the weight of each case.

        Parameters
        ----------
        time : ndarray of float, shape (m,)
            Where the probability is taken; it is not 0 there.
        amounts : ndarray of float, shape (m,)
            What its logarithm is multiplied by.
        before : bool
            Whether the probability is that of reaching the time, not of going on beyond it.

        Returns
        -------
        ndarray of float, shape (n,)
            For each case, the sum over m of amount times the derivative. They sum to 0.
        """
        falls = np.searchsorted(self.times, time, "left" if before else "right")
        reaching = np.cumsum(np.bincount(falls, amounts, minlength=len(self.times) + 1)[::-1])[::-1][1:]
        left = self.at_risk - self.fallen
        pull = np.divide(reaching, left, out=np.zeros_like(left), where=left > 0)
        exposed = np.concatenate([[0.0], np.cumsum(self.fallen / self.at_risk * pull)])[self.exposed]
        own = np.append(pull, 0.0)[self.own]
        result: Numbers = exposed - own
        return result
