"""``assay kit fetch``: have every source of a kit on this machine, or say which are missing."""

from typing import TYPE_CHECKING, Annotated

import typer

from host.cli.answer import JsonFlag, conclude, say, show, table
from host.cli.kit.options import FolderArgument
from host.cli.progress import DownloadProgress

if TYPE_CHECKING:
    from host.kits.kit import KitFolder
    from host.kits.sources import SourceFile
    from host.sources.store import SourceStore
    from plugin_spec.errors import AssayError

OfflineFlag = Annotated[
    bool, typer.Option("--offline", help="Ask no network: say what is here and what is missing.")
]
MISSING = "missing"


def fetch(folder: FolderArgument, offline: OfflineFlag = False, json: JsonFlag = False) -> int:
    """Find or download every source of a kit, check its digest, and show its licence.

    What lies in the kit's folder, in the cache or below ASSAY_DATA is used where it lies; the rest is downloaded into
    the cache, and a download that was cut off is gone on with.
    """
    from host.home import Home
    from host.kits.kit import read_kit
    from host.sources.store import SourceStore

    found = read_kit(folder)
    home = Home.from_environment()
    with DownloadProgress() as progress:
        store = SourceStore(home, say=progress.say, told=progress.told)
        places, faults = [], []
        for file in found.source_files:
            place, fault = _place(store, file, offline=offline)
            places.append((file, place))
            faults += [fault] if fault else []
    show(_document(found, places), _lines(found, places), as_json=json, next_command=_next(folder, faults))
    return conclude(_summary(found, faults))


def _place(store: "SourceStore", file: "SourceFile", *, offline: bool) -> "tuple[str, AssayError | None]":
    """Where a source is now, and the error where it is nowhere."""
    from host.errors import SourceError, SourceMissingError

    try:
        if not offline:
            return store.have(file.pinned).place, None
        here = store.find(file.pinned)
    except SourceError as error:
        return MISSING, error
    if here is not None:
        return here.place, None
    where = file.pinned.url or file.pinned.uri
    return MISSING, SourceMissingError(
        f"{file.pinned.name}: not on this machine; {file.pinned.sha256}, {file.pinned.bytes} bytes, from {where}",
        subject=file.pinned.uri,
        hint="put the file, under any name, below the folder that ASSAY_DATA names, or fetch without --offline",
    )


def _summary(kit: "KitFolder", faults: "list[AssayError]") -> "AssayError | None":
    if not faults:
        return None
    from host.errors import SourceMissingError

    if len(faults) == 1:
        return faults[0]
    for one in faults:
        say(f"missing: {one.message}")
    return SourceMissingError(
        f"{kit.kit.id}: {len(faults)} of {len(kit.source_files)} files are missing, named above",
        subject=kit.kit.id,
        hint=faults[0].hint,
    )


def _next(folder: object, faults: "list[AssayError]") -> str:
    return "" if faults else f"assay kit check {folder}"


def _document(kit: "KitFolder", places: "list[tuple[SourceFile, str]]") -> dict[str, object]:
    return {
        "kit": kit.kit.id,
        "version": kit.kit.version,
        "licence": kit.kit.dataset.licence,
        "files": [
            {
                "source": file.source.name,
                "file": file.path,
                "uri": file.pinned.uri,
                "sha256": file.pinned.sha256,
                "bytes": file.pinned.bytes,
                "licence": _licence(kit, file),
                "place": place,
            }
            for file, place in places
        ],
    }


def _lines(kit: "KitFolder", places: "list[tuple[SourceFile, str]]") -> list[str]:
    rows = [(*_row(kit, file), place) for file, place in places]
    dataset = kit.kit.dataset
    lines = [f"{kit.kit.id} {kit.kit.version}: {dataset.title}", f"  licence   {dataset.licence}"]
    lines += [f"  cite      {dataset.citation}"] if dataset.citation else []
    lines += [f"  doi       {dataset.doi}"] if dataset.doi else []
    return [*lines, "", *table(("source", "file", "MB", "licence", "where"), rows)]


def _row(kit: "KitFolder", file: "SourceFile") -> tuple[str, str, str, str]:
    return file.source.name, file.path, f"{file.pinned.bytes / 1e6:.1f}", _licence(kit, file)


def _licence(kit: "KitFolder", file: "SourceFile") -> str:
    """A source's own licence, or the data set's; ``assay.kit/1`` had words there, too long for a table."""
    licence = file.source.licence or kit.kit.dataset.licence
    return licence if len(licence) <= 40 else f"{licence[:39]}…"
