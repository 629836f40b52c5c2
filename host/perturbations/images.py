"""A perturbation carried out on image files: read, changed slice by slice, written under the same header.

Invariants
----------
* Voxel type and scaling stay those of the original; a change that its voxel type cannot hold is refused.
* Of an image only its stored numbers and one slice of reals are held at a time (blur holds the reals).
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from host.cases.geometry import Grid
from host.cases.nifti_copy import StoredImage, read_stored, regridded, write_copy
from host.errors import KitError
from host.perturbations.declared import Perturbation
from host.perturbations.intensity import BiasField, blurred, gaussian_noise, random_of, rician_noise
from host.perturbations.resampling import Resampling, moved_affine, new_grid
from host.perturbations.rotation import index_map, moved_out, rotated_labels, rotated_slice, rotation_matrix

# A scanner's image saturates in single voxels; a change that cuts off more is not the change that was declared.
SATURATED_MAX: Final = 1e-3
Slice = NDArray[np.float64]


def perturb_image(
    source: Path, target: Path, perturbation: Perturbation, *, case_id: str, port: str, ndim: int = 3
) -> str:
    """Write the changed copy of a volume and return its digest.

    Parameters
    ----------
    source, target : Path
        NIfTI-1 files; ``target`` is compressed when it ends in ``.gz``.
    perturbation : Perturbation
    case_id, port : str
        Part of the seed, so that no two images get the same noise.
    ndim : int, optional
        3, or 4 where time is the last axis.

    Raises
    ------
    KitError
        The voxel type cannot hold the change, or Rician noise is asked of an image with values below zero.
    ImageError
        ``source`` cannot be used.
    """
    image = read_stored(source, ndim=ndim)
    what = f"{perturbation.id} of {case_id}, input {port}"
    maker = _MAKERS[perturbation.kind](image, perturbation, f"{case_id}/{port}", what)
    grid = maker.grid
    volumes = 1 if image.data.ndim == 3 else image.data.shape[3]
    changed = np.empty((*grid.shape, volumes), image.data.dtype, order="F")
    saturated = 0
    for time in range(volumes):
        volume = image.data if image.data.ndim == 3 else image.data[..., time]
        for k, values in enumerate(maker.slices(volume)):
            saturated += _store(values, image, changed[:, :, k, time])
    if saturated > SATURATED_MAX * changed.size:
        raise KitError(
            f"perturbation {what}: {100 * saturated / changed.size:.1f} % of the voxels leave the range of their type, "
            f"{image.data.dtype}",
            subject=perturbation.id,
            hint="lower the level; noise of a magnitude image is rician",
        )
    return write_copy(
        target,
        image,
        changed.reshape((*grid.shape, *image.data.shape[3:]), order="F"),
        preamble=maker.preamble,
    )


def perturb_labels(
    source: Path,
    target: Path,
    perturbation: Perturbation,
    *,
    case_id: str,
    port: str,
    may_leave: bool = False,
) -> str:
    """Write a label map as the perturbation moves it, and return the copy's digest.

    Parameters
    ----------
    may_leave : bool, optional
        Whether labelled voxels may leave the image, as those of an answer may and those of a reference may not.

    Raises
    ------
    KitError
        The rotation takes labelled voxels out of the image.
    ImageError
        ``source`` cannot be used.
    """
    image = read_stored(source)
    grid = image.header.grid
    if perturbation.kind == "rotation":
        lost = 0 if may_leave else moved_out(image.data, grid, _rotation(perturbation))
        if lost:
            raise KitError(
                f"perturbation {perturbation.id} of {case_id}: {lost} labelled voxels of {port} leave the image, "
                "so that the reference would no longer hold",
                subject=perturbation.id,
                hint="declare a smaller angle, or list the cases whose images have room for it",
            )
    preamble = (
        _preamble(image, grid, _new_grid(grid, perturbation)) if perturbation.kind == "resampling" else None
    )
    return write_copy(target, image, moved_labels(image.data, grid, perturbation), preamble=preamble)


def moved_labels(labels: NDArray[Any], grid: Grid, perturbation: Perturbation) -> NDArray[Any]:
    """A label map where a perturbed image has what it marks: the same one unless voxels are moved."""
    if perturbation.kind == "rotation":
        return rotated_labels(labels, grid, _rotation(perturbation))
    if perturbation.kind == "resampling":
        return Resampling(grid, _new_grid(grid, perturbation)).labels(labels)
    return labels


def _store(values: Slice, image: StoredImage, target: NDArray[Any]) -> int:
    """Put a slice of values down as stored numbers; how many of them do not fit their type."""
    stored = values if not image.header.scaled else (values - image.header.intercept) / image.header.slope
    if target.dtype.kind == "f":
        target[...] = stored
        return 0
    limits = np.iinfo(target.dtype)
    whole = np.rint(stored)
    saturated = int(np.count_nonzero((whole < limits.min) | (whole > limits.max)))
    target[...] = np.clip(whole, limits.min, limits.max)
    return saturated


class _Maker:
    """Makes the slices of one changed volume; the image stays on its grid unless a subclass says otherwise."""

    def __init__(self, image: StoredImage, perturbation: Perturbation, stream: str, what: str) -> None:
        self.image = image
        self.perturbation = perturbation
        self.stream = stream
        self.what = what
        self.grid = image.header.grid
        self.preamble: bytes | None = None

    def slices(self, volume: NDArray[Any]) -> Iterator[Slice]:
        for k in range(volume.shape[2]):
            yield self.changed(self.image.values(volume[:, :, k]), k)

    def changed(self, values: Slice, k: int) -> Slice:
        raise NotImplementedError


class _Intensity(_Maker):
    def changed(self, values: Slice, k: int) -> Slice:
        return values * self.perturbation.level


class _Noise(_Maker):
    def __init__(self, image: StoredImage, perturbation: Perturbation, stream: str, what: str) -> None:
        super().__init__(image, perturbation, stream, what)
        self._random = random_of(perturbation.seed or 0, perturbation.id, stream)
        self._sigma = self._sigma_of(perturbation)
        if perturbation.distribution == "rician" and image.values(image.data.min()) < 0:
            raise KitError(
                f"perturbation {what}: rician noise is that of a magnitude, and the image has values below zero",
                subject=perturbation.id,
                hint='declare distribution = "gaussian"',
            )

    def _sigma_of(self, perturbation: Perturbation) -> float:
        if perturbation.unit != "%":
            return perturbation.level
        reference = perturbation.reference_intensity
        if reference is None:
            stored = self.image.data
            if perturbation.within == "nonzero":
                stored = stored[self.image.values(stored) != 0]
            if not stored.size:
                raise KitError(f"perturbation {self.what}: every voxel is 0", subject=perturbation.id)
            reference = float(
                self.image.values(np.percentile(stored, perturbation.reference_percentile or 100.0))
            )
        if reference <= 0:
            raise KitError(
                f"perturbation {self.what}: the reference intensity is {reference:g}, which nothing can be relative to",
                subject=perturbation.id,
                hint="declare another percentile, or the level in the image's unit",
            )
        return perturbation.level / 100.0 * reference

    def changed(self, values: Slice, k: int) -> Slice:
        noisy = rician_noise if self.perturbation.distribution == "rician" else gaussian_noise
        return _masked(self.perturbation, values, noisy(values, self._sigma, self._random))


class _Bias(_Maker):
    def __init__(self, image: StoredImage, perturbation: Perturbation, stream: str, what: str) -> None:
        super().__init__(image, perturbation, stream, what)
        random = random_of(perturbation.seed or 0, perturbation.id, stream)
        self._field = BiasField(self.grid.shape, perturbation.level, random)
        volume = image.data if image.data.ndim == 3 else image.data[..., 0]
        for k in range(self.grid.shape[2]):
            inside = image.values(volume[:, :, k]) != 0 if perturbation.within == "nonzero" else None
            self._field.count(k, inside)

    def changed(self, values: Slice, k: int) -> Slice:
        return values * self._field.slice(k)


class _Blur(_Maker):
    def slices(self, volume: NDArray[Any]) -> Iterator[Slice]:
        values = self.image.values(volume)
        smooth = blurred(values, fwhm_mm=self.perturbation.level, spacing_mm=self.grid.spacing_mm)
        yield from np.moveaxis(smooth, 2, 0)


class _Rotation(_Maker):
    def slices(self, volume: NDArray[Any]) -> Iterator[Slice]:
        sources = index_map(self.grid, _rotation(self.perturbation))
        fill = float(volume.min() if self.image.header.slope > 0 else volume.max())  # the lowest value
        for k in range(volume.shape[2]):
            yield self.image.values(rotated_slice(volume, k, sources=sources, order=1, fill=fill))


class _Resampling(_Maker):
    def __init__(self, image: StoredImage, perturbation: Perturbation, stream: str, what: str) -> None:
        super().__init__(image, perturbation, stream, what)
        self._old, self.grid = self.grid, _new_grid(self.grid, perturbation)
        self.preamble = _preamble(image, self._old, self.grid)

    def slices(self, volume: NDArray[Any]) -> Iterator[Slice]:
        resampling = Resampling(self._old, self.grid)
        for k in range(self.grid.shape[2]):
            yield self.image.values(resampling.slice(volume, k))


_MAKERS: Final[dict[str, type[_Maker]]] = {
    "noise": _Noise,
    "bias": _Bias,
    "intensity": _Intensity,
    "blur": _Blur,
    "rotation": _Rotation,
    "resampling": _Resampling,
}


def _masked(perturbation: Perturbation, values: Slice, changed: Slice) -> Slice:
    return np.where(values == 0, 0.0, changed) if perturbation.within == "nonzero" else changed


def _rotation(perturbation: Perturbation) -> NDArray[np.float64]:
    return rotation_matrix(perturbation.axis or "z", perturbation.level)


def _new_grid(grid: Grid, perturbation: Perturbation) -> Grid:
    return new_grid(grid, perturbation.level, perturbation.axis)


def _preamble(image: StoredImage, old: Grid, new: Grid) -> bytes:
    i, j, k = (b / a for a, b in zip(old.spacing_mm, new.spacing_mm, strict=True))

    def moved(affine: NDArray[np.float64]) -> Any:
        return moved_affine(affine, old.shape, new.shape, [i, j, k])

    return regridded(image.preamble, new, (i, j, k), moved)
