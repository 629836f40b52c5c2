"""Changes of intensity: noise, a smooth bias field, blur. Pure, on values in the image's unit.

Random numbers are those of `numpy.random.RandomState`, whose stream NEP 19 froze: the same seed gives the same image
with any later numpy. Arrays have axes (I, J, K); noise is drawn slice by slice in the order of K, so that an image need
not be held as reals as a whole.
"""

import hashlib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
_FWHM_PER_SIGMA: Final = 2.0 * float(np.sqrt(2.0 * np.log(2.0)))


def random_of(seed: int, *what: str) -> np.random.RandomState:
    """A random stream of its own for each thing that a seed is used for."""
    name = hashlib.sha256("\0".join((str(seed), *what)).encode()).digest()
    return np.random.RandomState(np.frombuffer(name, "<u4"))


def gaussian_noise(values: Values, sigma: float, random: np.random.RandomState) -> Values:
    """Values with independent normal noise of standard deviation ``sigma``."""
    return values + sigma * random.standard_normal(values.shape)


def rician_noise(values: Values, sigma: float, random: np.random.RandomState) -> Values:
    """Magnitude of a signal with normal noise of ``sigma`` in both channels (Gudbjartsson and Patz 1995, eq. 1).

    Parameters
    ----------
    values : ndarray
        At least 0 everywhere: a magnitude.
    """
    real = values + sigma * random.standard_normal(values.shape)
    return np.hypot(real, sigma * random.standard_normal(values.shape))


class BiasField:
    """A smooth multiplicative field over an image: a random polynomial of second order.

    It spans 1 ± ``percent`` / 200 over the voxels that count, as the fields of BrainWeb do (Collins et al. 1998: 20 %
    runs from 0.90 to 1.10).

    Parameters
    ----------
    shape : tuple of int
        Of the image, (I, J, K).
    percent : float
    random : RandomState
        Draws the coefficients.
    """

    def __init__(self, shape: tuple[int, int, int], percent: float, random: np.random.RandomState) -> None:
        self._axes = [np.linspace(-1.0, 1.0, size) if size > 1 else np.zeros(1) for size in shape]
        self._coefficients = random.uniform(-1.0, 1.0, 9)
        self._percent = percent
        self._low, self._high = np.inf, -np.inf

    def count(self, k: int, inside: NDArray[np.bool_] | None = None) -> None:
        """Let the voxels of slice ``k``, or those ``inside``, count for the field's span."""
        shape = self._shape(k) if inside is None else self._shape(k)[inside]
        if shape.size:
            self._low, self._high = min(self._low, float(shape.min())), max(self._high, float(shape.max()))

    def slice(self, k: int) -> Values:
        """The field over slice ``k``, shape (I, J); 1 everywhere when nothing spans anything."""
        if not self._high > self._low:
            return np.ones((self._axes[0].size, self._axes[1].size))
        part = (self._shape(k) - self._low) / (self._high - self._low) - 0.5
        field: Values = 1.0 + self._percent / 100.0 * part
        return field

    def _shape(self, k: int) -> Values:
        x, y, z = self._axes[0][:, None], self._axes[1][None, :], self._axes[2][k]
        terms = (x, y, z, x * y, x * z, y * z, x * x, y * y, z * z)
        zero = np.zeros((self._axes[0].size, self._axes[1].size))
        return sum((factor * term for factor, term in zip(self._coefficients, terms, strict=True)), zero)


def blurred(values: NDArray[Any], *, fwhm_mm: float, spacing_mm: tuple[float, float, float]) -> Values:
    """Values smoothed by a Gaussian of this full width at half maximum; the border is continued outwards."""
    from scipy import ndimage

    sigmas = [fwhm_mm / _FWHM_PER_SIGMA / step for step in spacing_mm]
    smooth: Values = ndimage.gaussian_filter(values, sigmas, output=np.float64, mode="nearest")
    return smooth
