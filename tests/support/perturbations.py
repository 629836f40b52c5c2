"""Perturbations as a protocol declares them."""

from host.perturbations.declared import Perturbation

COMPLETE: dict[str, dict[str, object]] = {
    "noise": {
        "level": 5.0,
        "unit": "%",
        "distribution": "gaussian",
        "seed": 7,
        "reference_intensity": 1000.0,
    },
    "bias": {"level": 20.0, "unit": "%", "seed": 7},
    "intensity": {"level": 1.25, "unit": "1"},
    "blur": {"level": 4.0, "unit": "mm"},
    "rotation": {"level": 10.0, "unit": "deg", "axis": "z"},
    "resampling": {"level": 2.0, "unit": "mm"},
}


def make_perturbation(kind: str = "noise", **changes: object) -> Perturbation:
    """A complete declaration of one kind; a change to ``None`` leaves the field out."""
    fields = {"id": f"{kind}_1", "kind": kind, "inputs": ("scan",), **COMPLETE[kind], **changes}
    return Perturbation.model_validate({name: value for name, value in fields.items() if value is not None})
