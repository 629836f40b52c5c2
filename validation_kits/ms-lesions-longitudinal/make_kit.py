"""Make the cases of this kit: both visits' FLAIR on the common grid of their reference mask, and its lesions as boxes.

Usage: ``python make_kit.py IN OUT [CASES_CSV]``. IN holds the source files; OUT receives ``cases/*.nii`` and
``reference/*.json``; CASES_CSV, when named, receives the table with digests (done once, then committed).

The transforms are ITK's: parameters are a 3 x 3 matrix A by rows and a translation t, fixed parameters a centre c, in
LPS mm; a point x of the common space lies at A (x - c) + c + t in the raw scan. Images are interpolated linearly and
rounded, so that the last bit of a floating-point library does not reach the files; outside a scan they are 0.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

import nibabel
import numpy as np
from scipy import ndimage

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
VISITS = (("baseline", "study1"), ("followup", "study2"))
EVERY_NEIGHBOUR = np.ones((3, 3, 3))


def read_transform(path: Path) -> np.ndarray:
    """Read an ITK text transform as a 4 x 4 matrix from the common to the raw space, in RAS mm."""
    lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
    numbers = np.array(lines["Parameters"].split(), dtype=np.float64)
    centre = np.array(lines["FixedParameters"].split(), dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = numbers[:9].reshape(3, 3)
    matrix[:3, 3] = numbers[9:] + centre - matrix[:3, :3] @ centre
    return LPS @ matrix @ LPS


def resampled(scan: nibabel.Nifti1Image, to_raw: np.ndarray, like: nibabel.Nifti1Image) -> np.ndarray:
    """The scan on the grid of ``like``, shape (I, J, K), as int16."""
    mapping = np.linalg.inv(scan.affine) @ to_raw @ like.affine
    data = ndimage.affine_transform(
        np.asarray(scan.dataobj, dtype=np.float64),
        mapping[:3, :3],
        mapping[:3, 3],
        output_shape=like.shape,
        order=1,
    )
    return np.rint(data).astype(np.int16)


def boxes(mask: np.ndarray, affine: np.ndarray) -> list[dict[str, object]]:
    """Every component (26 neighbours) of a mask as a box in LPS mm around its voxels."""
    labels, _ = ndimage.label(mask, structure=EVERY_NEIGHBOUR)
    found = []
    for box in ndimage.find_objects(labels):
        ends = np.array([[one.start - 0.5 for one in box], [one.stop - 0.5 for one in box]])
        every = np.array(np.meshgrid(*ends.T)).reshape(3, -1).T
        worlds = nibabel.affines.apply_affine(affine, every) * (-1, -1, 1)
        corners = (worlds.min(axis=0), worlds.max(axis=0))
        found.append(
            {"label": "new_lesion", "box": [[round(float(v), 3) for v in corner] for corner in corners]}
        )
    return found


def write_image(path: Path, data: np.ndarray, affine: np.ndarray) -> str:
    """Write an uncompressed NIfTI-1 file; answer its digest."""
    image = nibabel.Nifti1Image(data, affine)
    image.header.set_xyzt_units("mm")
    path.parent.mkdir(parents=True, exist_ok=True)
    nibabel.save(image, path)
    return digest(path)


def digest(path: Path) -> str:
    """SHA-256 of a file, as cases.csv has it."""
    return "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


def make_case(source: Path, out: Path) -> dict[str, str]:
    """Write the files of patient 01; answer its row of cases.csv."""
    reference = nibabel.load(source / "patient01_gt.nii.gz")
    row = {
        "case_id": "patient01",
        "subject_id": "patient01",
        "expected": "ok",
        "evidence": "patient",
        "smoke": "yes",
    }
    for port, study in VISITS:
        scan = nibabel.load(source / f"patient01_{study}_FLAIR.nii.gz")
        to_raw = read_transform(source / f"patient01_{study}_FLAIR_to_common_space.txt")
        row[f"in.{port}"] = f"cases/patient01_{port}.nii"
        data = resampled(scan, to_raw, reference)
        row[f"in.{port}.sha256"] = write_image(out / row[f"in.{port}"], data, reference.affine)
    mask = np.asarray(reference.dataobj) > 0
    document = {"contract": "assay.detections/1", "frame": "LPS", "detections": boxes(mask, reference.affine)}
    row["ref.findings"] = "reference/patient01_findings.json"
    path = out / row["ref.findings"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    voxel_ml = float(abs(np.linalg.det(reference.affine[:3, :3]))) / 1000.0
    return row | {
        "ref.findings.sha256": digest(path),
        "in.brain": "source:brainmask",
        "ref.changes": "source:gt",
        "value.new_ml": f"{int(mask.sum()) * voxel_ml:.3f}",
        "value.new_count": str(len(document["detections"])),
    }


def main(arguments: list[str]) -> int:
    """Make the one case."""
    if len(arguments) not in (2, 3):
        print("usage: python make_kit.py IN OUT [CASES_CSV]", file=sys.stderr)
        return 64
    row = make_case(Path(arguments[0]), Path(arguments[1]))
    if len(arguments) == 3:
        with Path(arguments[2]).open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, fieldnames=list(row), lineterminator="\n")
            writer.writeheader()
            writer.writerow(row)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
