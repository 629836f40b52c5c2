"""BIDS sidecars: the JSON file beside a NIfTI image becomes a flat mapping of tags.

Invariants: bounded size, no repeated key, finite numbers; only scalars are kept, because no acceptance rule
can ask for a list or an object.
"""

import json
import math
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from host.cases.errors import SidecarError

SIDECAR_BYTES_MAX: Final = 1024 * 1024
_TEXT_MAX: Final = 4096

TagValue = bool | int | float | str


def sidecar_path(image: Path) -> Path:
    """Where BIDS puts the sidecar of ``image``: same folder, same name, ``.json``."""
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def read_sidecar(image: Path) -> Mapping[str, TagValue]:
    """Read the tags of a NIfTI image.

    Parameters
    ----------
    image : Path
        The image; its sidecar stands beside it.

    Returns
    -------
    mapping of str to bool, int, float or str
        Empty when there is no sidecar.

    Raises
    ------
    SidecarError
        The file is there and cannot be used; the message names it.
    """
    path = sidecar_path(image)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise _fault(path, "not a file")
        if status.st_size > SIDECAR_BYTES_MAX:
            raise _fault(path, f"larger than {SIDECAR_BYTES_MAX} bytes")
        data = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise _fault(path, error.strerror or "cannot be read") from error
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_object)
    except (ValueError, RecursionError) as error:
        raise _fault(path, f"not valid JSON: {error}") from error
    if not isinstance(document, dict):
        raise _fault(path, "not a JSON object")
    for key, value in document.items():
        _check(path, key, value)
    return {key: value for key, value in document.items() if isinstance(value, TagValue)}


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice")
    return document


def _check(path: Path, key: str, value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise _fault(path, f"{key} is {value}, not a finite number")
    if isinstance(value, str) and len(value) > _TEXT_MAX:
        raise _fault(path, f"{key} is longer than {_TEXT_MAX} characters")


def _fault(path: Path, what: str) -> SidecarError:
    return SidecarError(f"{path}: {what}", subject=str(path), hint="correct the sidecar, or remove it")
