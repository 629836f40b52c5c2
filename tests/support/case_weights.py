"""Standard errors by definition, to hold those of statistics against."""

import math

import numpy as np

NORMAL = 1.959963984540054


def standard_error(estimate):
    """That of a normal interval at 95 % which nothing cuts off."""
    assert estimate.level == 0.95
    return (estimate.high - estimate.low) / (2 * NORMAL)


def error_by_weighting(value_of, columns, copies=20):
    """Root of the summed squared derivatives of a statistic by the weight of each case.

    ``value_of`` takes the columns, of shape (k, n). Each case is made a little heavier and lighter, by adding it to
    many copies of the sample and by taking it away.
    """
    many = np.tile(columns, copies)

    def pull(case):
        heavier = value_of(*np.column_stack([many, many[:, case]]))
        return (heavier - value_of(*np.delete(many, case, axis=1))) * copies / 2

    return math.sqrt(sum(pull(case) ** 2 for case in range(columns.shape[1])))


def error_by_jackknife(value_of, columns):
    """Root of the jackknife's variance of a statistic of columns of shape (k, n)."""
    n = columns.shape[1]
    left_out = np.array([value_of(*np.delete(columns, case, axis=1)) for case in range(n)])
    return math.sqrt((n - 1) / n * ((left_out - left_out.mean()) ** 2).sum())
