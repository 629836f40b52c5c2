"""The weights a container sees: digest-checked copies in its own run folder, read-only.

Weights are copied per run rather than mounted from the store, so that a run sees the bytes that were checked just
before it, whatever happens to the store meanwhile.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from host.errors import WeightsError
from host.releases import InstalledRelease
from host.staging import CHUNK_BYTES, RunFolder


@contextmanager
def weights_folder(release: InstalledRelease, folder: RunFolder) -> Iterator[Path | None]:
    """Copy the release's weights beside the run's inputs; ``None`` when it has none.

    Raises
    ------
    WeightsError
        A file is missing or does not have the digest that the release names.
    """
    if not release.weight_refs:
        yield None
        return
    target = folder.path / "weights"
    target.mkdir(mode=0o755)
    target.chmod(0o755)
    for ref in release.weight_refs:
        _copy_checked(release.weights[ref.name], target / ref.name, expected=ref.digest)
    yield target


def _copy_checked(source: Path, target: Path, *, expected: str) -> None:
    hasher = hashlib.sha256()
    try:
        with source.open("rb") as reader, target.open("xb") as writer:
            while chunk := reader.read(CHUNK_BYTES):
                hasher.update(chunk)
                writer.write(chunk)
    except OSError as error:
        raise WeightsError(f"weights {target.name}: {error.strerror}", subject=str(source)) from error
    if f"sha256:{hasher.hexdigest()}" != expected:
        raise WeightsError(
            f"weights {target.name}: the local file is not the one the release names", subject=expected
        )
    target.chmod(0o444)
