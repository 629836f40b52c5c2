"""A manifest that declares one of everything, for the card that tells it."""

from typing import Any

from tests.support.manifests import manifest_document

CONCEPT = {"value": "52988006", "scheme": "SCT", "meaning": "Lesion"}
CLASSES = [
    {"name": "active", "summary": "Enhancing or new.", "concept": CONCEPT},
    {"name": "stable", "summary": "Neither."},
]


def everything() -> dict[str, Any]:
    """The manifest of a tool without Python, with every kind of port and setting."""
    document = manifest_document(
        title="Lesions over time",
        summary="Finds lesions at two visits & says <what> changed.",
        capabilities=["detection", "classification", "prediction"],
        modalities=["MR", "PT"],
        runtime={
            "mode": "exec",
            "threads": 2,
            "command": {
                "argv": [
                    "track",
                    "--first",
                    "{inputs.first}",
                    ["--mask", "{inputs.mask}"],
                    "{parameters.fast?--fast}",
                ],
                "outputs": {
                    name: f"{name}.out"
                    for name in ("found", "call", "risk", "move", "page", "table", "smooth", "labels")
                },
                "exit_codes": {
                    "3": {"outcome": "refused", "reason_code": "no-brain", "message": "No brain was found."}
                },
            },
        },
        image={"source": "engine", "name": "track:1", "image": "sha256:" + "b" * 64},
        weights=[
            {
                "name": "net",
                "sha256": "sha256:" + "a" * 64,
                "bytes": 230_000_000,
                "licence": "CC-BY-NC-4.0",
                "uri": "local:weights/net.bin",
            }
        ],
        domain=[
            {
                "port": "first",
                "tag": "Manufacturer",
                "one_of": ["Siemens", "Philips", "GE"],
                "missing": "flag",
                "outside": "refuse",
                "evidence": "The three vendors of the test set.",
            },
            {
                "port": "first",
                "tag": "EchoTime",
                "minimum": 80.0,
                "maximum": 120.0,
                "unit": "ms",
                "missing": "accept",
                "outside": "flag",
                "evidence": "Protocols of the sites.",
            },
        ],
    )
    document["inputs"] = [
        {
            "kind": "volume",
            "name": "first",
            "summary": "FLAIR of the first visit.",
            "modality": "MR",
            "sequence": "FLAIR",
            "unit": "{arbitrary}",
            "time_point": "baseline",
        },
        {
            "kind": "dicom_series",
            "name": "later",
            "summary": "The same at a later visit.",
            "modality": "MR",
            "sop_classes": ["1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"],
            "time_point": "followup",
            "order": 1,
            "interval_days": {"minimum": 80.0, "maximum": 400.0},
        },
        {
            "kind": "label_map",
            "name": "mask",
            "summary": "The brain.",
            "at_least": 0,
            "labels": [{"value": 1, "name": "brain", "concept": CONCEPT}],
        },
        {
            "kind": "volume",
            "name": "others",
            "summary": "More sequences.",
            "modality": "PT",
            "unit": "g/mL",
            "ndim": 4,
            "at_least": 0,
            "at_most": 4,
        },
        {"kind": "file", "name": "licence", "summary": "The site's licence.", "role": "licence"},
    ]
    document["outputs"] = [
        {
            "kind": "detections",
            "name": "found",
            "summary": "Lesions.",
            "shape": "box",
            "classes": CLASSES,
            "tracked": True,
            "within": "first",
        },
        {
            "kind": "classification",
            "name": "call",
            "summary": "Whether the disease is active.",
            "classes": CLASSES,
            "operating_point": {"positive": "active", "threshold": 0.4, "source": "Youden on the tuning set"},
        },
        {
            "kind": "score",
            "name": "risk",
            "summary": "Risk of progression.",
            "unit": "%",
            "minimum": 0.0,
            "maximum": 100.0,
            "interval": "confidence",
            "horizon": {"value": 2.0, "unit": "a"},
        },
        {
            "kind": "transform",
            "name": "move",
            "summary": "Between the visits.",
            "model": "rigid",
            "from_port": "first",
            "to_port": "first",
        },
        {"kind": "report", "name": "page", "summary": "For the reader.", "format": "pdf"},
        {
            "kind": "measurements",
            "name": "table",
            "summary": "Each lesion.",
            "rows_per": "lesion",
            "columns": [
                {
                    "name": "volume_ml",
                    "summary": "Volume.",
                    "concept": CONCEPT,
                    "unit": "mL",
                    "minimum": 0.0,
                    "maximum": 500.0,
                    "decimals": 2,
                    "repeatability": {"coefficient": 0.12, "source": "Smith 2020"},
                }
            ],
        },
        {
            "kind": "volume",
            "name": "smooth",
            "summary": "Filtered.",
            "modality": "MR",
            "unit": "{arbitrary}",
            "value_min": 0.0,
            "grid_of": "first",
        },
        {
            "kind": "label_map",
            "name": "labels",
            "summary": "Lesions as labels.",
            "grid_of": "first",
            "labels": [
                {
                    "value": 1,
                    "name": "lesion",
                    "concept": CONCEPT,
                    "laterality": "left",
                    "may_be_absent": True,
                }
            ],
        },
    ]
    document["parameters"] = [
        {"kind": "bool", "name": "fast", "summary": "Skips the second pass.", "default": False},
        {
            "kind": "float",
            "name": "smoothing",
            "summary": "Width of the filter.",
            "unit": "mm",
            "default": 1.5,
            "minimum": 0.0,
            "maximum": 5.0,
            "lockable": False,
        },
        {
            "kind": "enum",
            "name": "mode",
            "summary": "How to match.",
            "default": "near",
            "values": ["near", "far"],
        },
        {"kind": "str", "name": "tag", "summary": "A word.", "default": "x", "pattern": "[a-z]+"},
    ]
    document["resources"] |= {
        "memory_mib": 4096,
        "memory_per_input_mib": 2.5,
        "gpu": {
            "count": 1,
            "vram_mib": 8192,
            "compute_capability_min": "7.0",
            "compute_capability_tested": ["7.5", "8.6"],
            "driver_min": "525.60",
            "cpu_fallback": "within_tolerance",
        },
    }
    document["determinism"] = {
        "claim": "tolerance",
        "tolerances": [
            {"column": "volume_ml", "absolute": 0.01},
            {"port": "labels", "dice": 0.99},
            {"port": "risk", "relative": 0.02},
        ],
    }
    files = {"first": "tests/a.nii", "later": "tests/b", "licence": "tests/licence.txt"}
    document["tests"] = [
        {
            "name": "two-visits",
            "inputs": {**files, "others": ["tests/c.nii", "tests/d.nii"]},
            "parameters": {"fast": True},
            "expect": "ok",
            "compare": [
                {"port": "table", "column": "volume_ml", "value": 1.25, "absolute": 0.05},
                {"port": "risk", "value": 30.0, "relative": 0.1},
                {"port": "call", "equals": "active"},
                {"port": "found", "count": 3, "absolute": 1.0},
                {"port": "labels", "reference": "tests/e.nii", "dice": 0.9},
                {"port": "smooth", "reference": "tests/f.nii", "absolute": 0.5},
            ],
        },
        {"name": "no-brain", "inputs": files, "expect": "refused", "reason_code": "no-brain"},
    ]
    document["attribution"] |= {
        "training_data": "Two public sets.",
        "training_datasets": [
            {"name": "MSSEG", "source": "https://example.org", "subjects": 53, "identifiers": ["01", "02"]}
        ],
        "known_failure_modes": ["<script>alert(1)</script>", "Motion \u001b[31mred \u202egnp.exe"],
        "citations": [{"text": "Smith & Jones", "doi": '10.1000/(SICI)1522-2594<1>"x'}],
        "licence": "Apache-2.0",
        "commercial_use": "ask",
    }
    return document
