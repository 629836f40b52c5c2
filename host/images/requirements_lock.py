"""Compile ``requirements.in`` to hashed requirements for the image's Python and platform, through uv."""

import shutil
import tempfile
from pathlib import Path

from host.images.wheels import TARGET, run_uv


def compile_requirements(source: Path, pinned: Path | None, *, uv_cache: Path) -> str:
    """Resolve what an adapter needs, wheels only.

    Parameters
    ----------
    source : Path
        Names and bounds, as for pip.
    pinned : Path or None
        Requirements compiled earlier, whose versions stay where they still fit.

    Returns
    -------
    str
        ``name==version`` with hashes, for ``host.images.requirements``; no index is named.

    Raises
    ------
    WheelError
        A package or a wheel for the platform does not exist, or the index cannot be reached.
    """
    with tempfile.TemporaryDirectory(prefix="assay-lock.") as folder:
        target = Path(folder, "requirements.txt")
        if pinned is not None:
            shutil.copyfile(pinned, target)
        # uv runs beside the source, so that comments name it as the author does. Unless told to, it names no index.
        run_uv(
            ["compile", source.name, "-o", str(target), *TARGET, "--generate-hashes", "--no-header"],
            folder=source.parent.resolve(),
            uv_cache=uv_cache,
        )
        return target.read_text(encoding="utf-8")
