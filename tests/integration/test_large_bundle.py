"""What a bundle's files weigh does not show in the memory that verifying them takes."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from plugin_spec.resources import MIB
from registry.archive import BundleIndex, ListedFile, blob_name, write_archive
from registry.blobs import BlobStore

BLOB_MIB, BOUND_MIB = 600, 300
# A process of its own, and its high-water mark since it was executed: `getrusage` would count what its parent held.
READ = """
import sys
from pathlib import Path
from registry.archive import Bundle
with Bundle(Path(sys.argv[1])) as bundle:
    held = sum(one.bytes for one in bundle.index.files)
status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
print(held, int(status["VmHWM"].split()[0]) * 1024)
"""


def test_a_bundle_twice_as_large_as_the_memory_allowed_is_verified(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")

    def parts() -> Iterator[bytes]:
        for number in range(BLOB_MIB):
            yield number.to_bytes(8, "big") * (MIB // 8)

    blob = store.put_stream(parts())
    listed = ListedFile(name=blob_name(blob.digest), digest=blob.digest, bytes=blob.bytes)
    index = BundleIndex(
        kind="trial", trial="trial-1", lock=None, origin="o", checkpoint="c", entries=(), files=(listed,)
    )
    write_archive(tmp_path / "large.bundle", index, {}, store)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "large.bundle")],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    held, peak = map(int, done.stdout.split())
    assert held == BLOB_MIB * MIB
    assert peak < BOUND_MIB * MIB
