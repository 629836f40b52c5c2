"""A kit of assay.kit/2 without a fault and without a generator: case files are sources, a listed folder, its own."""

from pathlib import Path

from host.kits.sources import files_digest
from registry.canonical import digest
from tests.support.tiny_kit.make_kit import cube, nifti, scan

SLICES = {f"{number}.dcm": bytes([number]) * 100 for number in range(1, 4)}
LISTING = "series.csv"


def write_clean_kit(folder: Path) -> Path:
    """Write the kit, its sources beside its declarations; nothing is to be said against it."""
    (folder / "series").mkdir(parents=True)
    (folder / "reference").mkdir()
    image, mask = scan(2, 0), nifti(cube(2), 2)
    (folder / "scan.nii").write_bytes(image)
    (folder / "reference" / "mask.nii").write_bytes(mask)
    rows = ["file,bytes,sha256"]
    for name, data in SLICES.items():
        (folder / "series" / name).write_bytes(data)
        rows.append(f"{name},{len(data)},{digest(data)}")
    (folder / LISTING).write_text("\n".join(rows) + "\n")
    (folder / "kit.toml").write_text(_kit(image))
    (folder / "protocol.toml").write_text(_PROTOCOL)
    header = "case_id,subject_id,expected,evidence,smoke,session,in.scan,in.series,ref.mask,ref.mask.sha256"
    one = f"one,p1,ok,phantom,yes,baseline,source:scan,source:series,local:reference/mask.nii,{digest(mask)}"
    two = "two,p1,refused,phantom,no,baseline,source:scan,source:series,,"
    (folder / "cases.csv").write_text(f"{header}\n{one}\n{two}\n")
    (folder / "README.md").write_text("A kit for tests.\n")
    (folder / "LICENSE").write_text("MIT\n")
    return folder


def _kit(image: bytes) -> str:
    series = files_digest({name: digest(data) for name, data in SLICES.items()})
    return f"""\
contract = "assay.kit/2"
id = "clean-kit"
version = "1.0.0"
title = "A kit without a generator"
summary = "One phantom."
capability = "segmentation"
area = "every area"
disease = "none: a kit for tests"
evidence = "phantom"
licence = "MIT"
context_of_use = "Tests of the host."

[dataset]
title = "Cubes"
doi = ""
licence = "CC-BY-4.0"
provenance = "Drawn for a test."
deidentification = "No person."
citation = "Nobody, 2025."

[reference_standard]
kind = "constructed"
description = "The voxels that were drawn."
readers = 0

[[sources]]
name = "scan"
uri = "local:scan.nii"
file = "scan.nii"
sha256 = "{digest(image)}"
bytes = {len(image)}

[[sources]]
name = "series"
uri = "local:series/"
file = "series/"
listing = "{LISTING}"
sha256 = "{series}"
bytes = {sum(len(data) for data in SLICES.values())}
"""


_PROTOCOL = """\
contract = "assay.protocol/1"
kit = "clean-kit"
version = "1.0.0"
title = "A kit without a generator"
question = "Is the case answered?"
context_of_use = "Tests of the host."
risk = "None."
sample_size_basis = "Two constructed cases."
multiplicity = "all_criteria_must_pass"

[[metrics]]
id = "dice_bright"
kind = "masks"
function = "dice"
port = "mask"
label = "bright"
reference_value = 1
unit = "1"
definition = "2|A∩B|/(|A|+|B|) (Dice 1945)."
failed_case_counts_as = 0.0

[[metrics]]
id = "ended"
kind = "outcome"
unit = "1"
definition = "1 when the case ended as expected."
failed_case_counts_as = 0.0

[[criteria]]
id = "endings"
requirement = "What is to be refused is refused."
metric = "ended"
statistic = "every_case"
comparator = ">="
bound = 1.0
scope = "overall"
min_cases = 2
rationale = "Constructed to be clear-cut."

[[criteria]]
id = "overlap"
requirement = "The cube is found."
metric = "dice_bright"
statistic = "every_case"
comparator = ">="
bound = 1.0
scope = "overall"
min_cases = 1
rationale = "Constructed to be clear-cut."
"""
