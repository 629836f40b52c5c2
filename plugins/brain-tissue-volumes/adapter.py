"""Brain tissue volumes from one T1-weighted scan: HMRF-EM segmentation with the primitives of dipy.

Invariants: voxel arrays have axes (I, J, K) as stored in the file; worlds are RAS+ in mm; the label map
lies on the grid of the scan; each reported volume is the voxel count of a label times the voxel volume, so
that every number can be recomputed from the label map. No random numbers are drawn; the manifest sets one
thread, which keeps sums in one order.
"""

import gzip
import importlib.metadata
import zlib
from dataclasses import dataclass
from pathlib import Path

import nibabel
import numpy as np
from dipy.segment.mrf import ConstantObservationModel, IteratedConditionalModes
from scipy import ndimage

from plugin_spec import Case, CaseResult, Context, QualityCheck, Refuse, UnreadableInput, hookimpl

CSF, GREY, WHITE = 1, 2, 3
BETA = 0.1  # smoothness of the random field, the value of dipy's published example
BIAS_ROUNDS, EM_ITERATIONS = 4, 5  # four rounds as in FSL FAST's default (-I 4)
BIAS_FWHM_MM = 20.0  # low-pass width of the bias field as in FSL FAST's default (-l 20)
EXTRACTION_SPACING_MM, REGISTRATION_SPACING_MM = 3.0, 5.0
MIN_INTRACRANIAL_ML, MAX_INTRACRANIAL_ML = 700.0, 2500.0  # beyond any human head from infancy on
MAX_STRIPPED_CONTACT_MM2 = 6000.0  # a brain touches a face less, a neck or a cut head more
REFUSED_CUT_MM2, WARNED_CUT_MM2 = 6000.0, 1000.0  # caps of about 45 and 1 mL on a sphere of 75 mm radius


@dataclass(frozen=True)
class Scan:
    """A 3-D image: intensities (I, J, K) as float64, and the voxel-to-world matrix (RAS+ mm)."""

    data: np.ndarray
    affine: np.ndarray

    @property
    def spacing_mm(self) -> np.ndarray:
        """Voxel edge lengths along I, J, K."""
        return np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))

    @property
    def voxel_ml(self) -> float:
        """Volume of one voxel."""
        return float(abs(np.linalg.det(self.affine[:3, :3]))) / 1000.0


@dataclass(frozen=True)
class Segmentation:
    """Labels 1 to 3 (0 outside), class means and variances, bias field, and the last iteration's change."""

    labels: np.ndarray
    means: np.ndarray
    variances: np.ndarray
    field: np.ndarray
    changed_fraction: float


def read_scan(path: Path) -> Scan:
    """Read a NIfTI-1 file, gzipped or not, whatever its name; refuse what cannot be a head."""
    try:
        content = path.read_bytes()
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        image = nibabel.Nifti1Image.from_bytes(content)
        data = np.asarray(image.dataobj, dtype=np.float64)
    except (OSError, ValueError, EOFError, zlib.error, nibabel.spatialimages.HeaderDataError) as fault:
        raise UnreadableInput(f"{path.name}: not a readable NIfTI-1 image: {fault}") from fault
    if data.ndim == 4 and data.shape[3] == 1:
        data = data[..., 0]
    if data.ndim != 3 or min(data.shape) < 8:
        raise Refuse("not-a-volume", f"t1: shape {data.shape}, expected three axes of at least 8 voxels")
    if not np.isfinite(data).all():
        raise Refuse("non-finite-intensities", "t1: holds NaN or infinite intensities")
    if data.min() == data.max():
        raise Refuse("empty-image", f"t1: every voxel is {data.flat[0]:g}")
    scan = Scan(np.maximum(data, 0.0), image.affine)
    if not 1e-5 < scan.voxel_ml < 1.0:
        raise Refuse("no-geometry", f"t1: the header gives a voxel of {scan.voxel_ml:g} mL")
    return scan


def is_skull_stripped(scan: Scan) -> bool:
    """Tell a skull-stripped head from a raw one.

    Stripped means: at least 30 % of the voxels are exactly zero, what is not zero has the volume of an
    intracranial cavity or less, and no face of the image cuts more than 60 cm² of it (in a raw scan the
    neck or the head does).
    """
    inside = scan.data > 0
    volume_ml = inside.sum() * scan.voxel_ml
    return bool(
        inside.mean() <= 0.7
        and volume_ml <= MAX_INTRACRANIAL_ML
        and max(face_contacts_mm2(inside, scan.spacing_mm)) <= MAX_STRIPPED_CONTACT_MM2
    )


def face_contacts_mm2(mask: np.ndarray, spacing_mm: np.ndarray) -> list[float]:
    """Area of the mask on each of the six faces of the image."""
    areas = []
    for axis in range(3):
        voxel_mm2 = float(np.prod(np.delete(spacing_mm, axis)))
        areas += [float(mask.take(index, axis).sum()) * voxel_mm2 for index in (0, -1)]
    return areas


def largest_component(mask: np.ndarray, *, filled: bool = True) -> np.ndarray:
    """The largest 6-connected component, by default with its holes filled."""
    labels, count = ndimage.label(mask)
    if count == 0:
        return mask
    sizes = np.bincount(labels.ravel())
    sizes[0] = 0
    component = labels == sizes.argmax()
    return ndimage.binary_fill_holes(component) if filled else component


def reduce_to(scan: Scan, spacing_mm: float) -> Scan:
    """Smooth and resample to about ``spacing_mm`` per axis (never finer than the scan)."""
    factors = np.maximum(spacing_mm / scan.spacing_mm, 1.0)
    smooth = ndimage.gaussian_filter(scan.data, 0.425 * np.sqrt(factors**2 - 1.0))
    shape = tuple(int(size) for size in (np.array(scan.data.shape) - 1) // factors + 1)
    data = ndimage.affine_transform(smooth, np.diag(factors), output_shape=shape, order=1)
    return Scan(data, scan.affine @ np.diag([*factors, 1.0]))


def within_mm(mask: np.ndarray, distance_mm: float, spacing_mm: np.ndarray) -> np.ndarray:
    """Grow (or, for a negative distance, shrink) a mask by a Euclidean distance."""
    if not mask.any():
        return mask
    if distance_mm >= 0:
        return ndimage.distance_transform_edt(~mask, sampling=spacing_mm) <= distance_mm
    return ndimage.distance_transform_edt(mask, sampling=spacing_mm) > -distance_mm


def brain_core(scan: Scan) -> np.ndarray:
    """Brain tissue of a raw head, without a template: mid-intensity voxels that survive an opening.

    The reference intensity is the median in a 30 mm ball, 70 mm below the vertex: inside any adult
    cerebrum. Skull is darker, fat is brighter, and the thin bridges to neck, eyes and dura do not survive a
    5 mm erosion.
    """
    indices = np.argwhere(scan.data > np.percentile(scan.data, 99) * 0.1)
    worlds = indices @ scan.affine[:3, :3].T + scan.affine[:3, 3]
    top_mm = np.percentile(worlds[:, 2], 99.8)
    slab = worlds[(worlds[:, 2] < top_mm - 50) & (worlds[:, 2] > top_mm - 90)]
    if len(slab) < 1000:
        raise Refuse("field-of-view", "t1: less than 90 mm of head below its highest point")
    near = np.linalg.norm(worlds - slab.mean(axis=0), axis=1) < 30
    typical = np.median(scan.data[tuple(indices[near].T)])
    tissue = (scan.data > 0.6 * typical) & (scan.data < 1.6 * typical)
    eroded = largest_component(within_mm(tissue, -5.0, scan.spacing_mm), filled=False)
    return tissue & within_mm(eroded, 6.0, scan.spacing_mm)


def carry_template(scan: Scan, template: Scan) -> np.ndarray:
    """Brain mask of the template on the grid of ``scan``: rigid, then affine, by mutual information."""
    # Imported here: dipy.align costs over a second, and skull-stripped scans do not need it.
    from dipy.align.imaffine import AffineRegistration, MutualInformationMetric, transform_centers_of_mass
    from dipy.align.transforms import AffineTransform3D, RigidTransform3D

    fixed, moving = reduce_to(scan, REGISTRATION_SPACING_MM), reduce_to(template, REGISTRATION_SPACING_MM)
    images = (fixed.data, moving.data)
    grids = {"static_grid2world": fixed.affine, "moving_grid2world": moving.affine}
    matrix = transform_centers_of_mass(images[0], fixed.affine, images[1], moving.affine).affine
    registration = AffineRegistration(
        metric=MutualInformationMetric(nbins=32),
        level_iters=[40, 20],
        sigmas=[1.0, 0.0],
        factors=[2, 1],
        verbosity=0,
    )
    for transform in (RigidTransform3D(), AffineTransform3D()):
        matrix = registration.optimize(*images, transform, None, starting_affine=matrix, **grids).affine
    brain = Scan(template.data > 0.1 * template.data.max(), template.affine)
    return resampled_mask(brain, np.linalg.inv(template.affine) @ matrix @ scan.affine, scan.data.shape)


def resampled_mask(mask: Scan, onto: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """A mask on another grid; ``onto`` maps that grid's voxels to the mask's (linear, cut at one half)."""
    soft = mask.data.astype(np.float32)
    return (
        ndimage.affine_transform(soft, onto[:3, :3], onto[:3, 3], output_shape=shape, order=1, mode="nearest")
        > 0.5
    )


def extract_brain(scan: Scan, template: Scan) -> np.ndarray:
    """Mask of the brain in a raw scan.

    A first core by threshold and opening; the template registered to that core; then the core inside the
    grown template mask, closed by 10 mm so that sulci and ventricles are in.
    """
    coarse = reduce_to(scan, EXTRACTION_SPACING_MM)
    core = brain_core(coarse)
    stripped = Scan(np.where(core, coarse.data, 0.0), coarse.affine)
    carried = carry_template(stripped, template)
    core = largest_component(core & within_mm(carried, 3.0, coarse.spacing_mm), filled=False)
    closed = within_mm(within_mm(core, 10.0, coarse.spacing_mm), -10.0, coarse.spacing_mm)
    mask = Scan(largest_component(closed | core), coarse.affine)
    return resampled_mask(mask, np.linalg.inv(coarse.affine) @ scan.affine, scan.data.shape)


def bias_field(
    log_image: np.ndarray,
    posterior: np.ndarray,
    means: np.ndarray,
    variances: np.ndarray,
    spacing_mm: np.ndarray,
) -> np.ndarray:
    """Smooth multiplicative field: low-passed log residuals (Zhang, Brady & Smith 2001).

    The weight of a class is its mean squared over its variance: the precision of a log intensity, to first
    order.
    """
    weights = posterior @ (means**2 / variances)
    residual = log_image - np.log(np.maximum(posterior @ means, 1e-6))
    sigma = BIAS_FWHM_MM / 2.3548 / spacing_mm
    above, below = (
        ndimage.gaussian_filter(one, sigma, truncate=3.0) for one in (weights * residual, weights)
    )
    field = above / np.maximum(below, 1e-12)
    field -= np.average(field, weights=weights)
    return np.exp(field)


def segment(scan: Scan, mask: np.ndarray) -> Segmentation:
    """Three tissue classes by HMRF-EM with a bias field; ``scan`` is already cropped to the mask.

    The loop is that of dipy's ``TissueClassifierHMRF`` on the same primitives, without its background class
    (which draws from an unseeded generator): voxels outside the mask carry label -1, which disagrees with
    every class.
    """
    model, icm = ConstantObservationModel(), IteratedConditionalModes()
    image = np.where(mask, np.minimum(scan.data / np.percentile(scan.data[mask], 99.5), 1.2), 0.0)
    log_image = np.log(np.maximum(image, 1e-3)) * mask
    means, variances = np.array([0.25, 0.5, 0.75]), np.full(3, 0.01)
    field, flat = np.ones_like(image), image
    labels = np.where(mask, np.abs(flat[..., None] - means).argmin(axis=-1), -1).astype(np.int16)
    for bias_round in range(BIAS_ROUNDS):
        for _ in range(EM_ITERATIONS):
            prior = icm.prob_neighborhood(labels, BETA, 3)
            posterior = np.nan_to_num(model.prob_image(flat, 3, means, variances, prior)) * mask[..., None]
            means, variances = model.update_param(flat, posterior, means, 3)
            variances = np.maximum(variances, 1e-6)
            likelihood = model.negloglikelihood(flat, means, variances, 3)
            previous, (labels, _energy) = labels, icm.icm_ising(likelihood, BETA, labels)
            labels = np.where(mask, labels, np.int16(-1))
        if bias_round < BIAS_ROUNDS - 1:
            field = bias_field(log_image, posterior, means, variances, scan.spacing_mm)
            flat = image / field
    changed_fraction = float((labels != previous)[mask].mean())
    return Segmentation((labels + 1).astype(np.uint8), means, variances, field, changed_fraction)


def crop_box(mask: np.ndarray) -> tuple[slice, ...]:
    """Smallest box around the mask."""
    return tuple(slice(int(hit.min()), int(hit.max()) + 1) for hit in np.nonzero(mask))


def check_mask(scan: Scan, mask: np.ndarray) -> float:
    """Refuse a mask that cannot be a whole brain; answer the largest area (mm²) on a face of the image."""
    cut_mm2 = max(face_contacts_mm2(mask, scan.spacing_mm))
    if cut_mm2 > REFUSED_CUT_MM2:
        raise Refuse("field-of-view", f"t1: the image border cuts {cut_mm2 / 100:.0f} cm² of brain")
    volume_ml = float(mask.sum()) * scan.voxel_ml
    if not MIN_INTRACRANIAL_ML <= volume_ml <= MAX_INTRACRANIAL_ML:
        bounds = f"{MIN_INTRACRANIAL_ML:.0f} to {MAX_INTRACRANIAL_ML:.0f}"
        raise Refuse("implausible-brain", f"t1: the brain found has {volume_ml:.0f} mL, expected {bounds}")
    return cut_mm2


def check_contrast(found: Segmentation, spacing_mm: np.ndarray) -> None:
    """Refuse what does not look T1-weighted: the brightest class must lie deeper than the others."""
    padded = np.pad(found.labels, 1)
    depth_mm = ndimage.distance_transform_edt(padded > 0, sampling=spacing_mm)
    members = [padded == label for label in (CSF, GREY, WHITE)]
    if not all(member.any() for member in members) or not np.isfinite(found.means).all():
        raise Refuse("not-t1-weighted", "t1: intensities do not form three classes")
    depths = [depth_mm[member].mean() for member in members]
    if depths[2] <= max(depths[:2]):
        text = ", ".join(f"{depth:.1f}" for depth in depths)
        raise Refuse("not-t1-weighted", f"t1: the brightest class is not the deepest (mean depths {text} mm)")


def quality_checks(found: Segmentation, cut_mm2: float, stripped: bool) -> list[QualityCheck]:
    """What a reader should look at before trusting the numbers."""
    spread = np.sqrt((found.variances[1] + found.variances[2]) / 2)
    contrast = float((found.means[2] - found.means[1]) / spread)
    fractions = np.bincount(found.labels.ravel(), minlength=4)[1:] / (found.labels > 0).sum()
    low, high = np.percentile(found.field[found.labels > 0], (1, 99))
    figures = (
        ("own_brain_extraction", float(not stripped), stripped, True),
        ("brain_cut_cm2", cut_mm2 / 100, cut_mm2 <= WARNED_CUT_MM2, True),
        ("grey_white_contrast", contrast, contrast >= 2.0, contrast >= 1.0),
        ("smallest_class_fraction", float(fractions.min()), fractions.min() >= 0.05, fractions.min() >= 0.01),
        ("bias_field_ratio", float(high / low), high / low <= 1.5, True),
        ("last_change_fraction", found.changed_fraction, found.changed_fraction <= 0.01, True),
    )
    return [
        QualityCheck(name, "pass" if good else "warn" if tolerable else "fail", round(value, 4))
        for name, value, good, tolerable in figures
    ]


def volumes_row(labels: np.ndarray, voxel_ml: float) -> dict[str, float]:
    """Voxel counts times voxel volume."""
    csf, grey, white = (int((labels == label).sum()) for label in (CSF, GREY, WHITE))
    volumes = {"csf_ml": csf, "gm_ml": grey, "wm_ml": white, "brain_ml": grey + white}
    return {name: round(count * voxel_ml, 3) for name, count in volumes.items()}


@hookimpl
def setup(context: Context) -> Path:
    """Remember where the template lies; it is read only for scans with skull."""
    return context.weights["mni152_t1"]


@hookimpl
def run_case(case: Case, state: Path) -> CaseResult:
    """Label the scan and measure."""
    scan = read_scan(case.inputs["t1"])
    stripped = is_skull_stripped(scan)
    mask = largest_component(scan.data > 0) if stripped else extract_brain(scan, read_scan(state))
    cut_mm2 = check_mask(scan, mask)
    box = crop_box(mask)
    found = segment(Scan(scan.data[box], scan.affine), mask[box])
    check_contrast(found, scan.spacing_mm)
    tissue = np.zeros(scan.data.shape, dtype=np.uint8)
    tissue[box] = found.labels
    path = case.output_path("tissue.nii.gz")
    image = nibabel.Nifti1Image(tissue, scan.affine)
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    warnings = [] if stripped else ["brain extracted by the plugin itself: no kit has validated this step"]
    return CaseResult(
        outputs={"tissue": path, "volumes": [volumes_row(tissue, scan.voxel_ml)]},
        qc=quality_checks(found, cut_mm2, stripped),
        warnings=warnings,
    )


@hookimpl
def describe_environment() -> dict[str, str]:
    """Versions of what computed the result."""
    return {name: importlib.metadata.version(name) for name in ("dipy", "numpy", "scipy", "nibabel")}
