"""Whether a plugin learnt from what a kit would judge it by, as far as its declared training data tell. Pure.

Invariants
----------
* A file is told by its digest, an image by its DICOM UIDs, a data set by its DOI or name: no single one is relied on.
* Where a data set is the same, the subjects are taken to be the same, unless the plugin says which it learnt from and
  the kit's are none of them.
* What was not declared cannot be found, and is not called clear.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from host.errors import KitLeakError
from host.kits.kit import KitFolder
from host.reports.sections import LeakFinding, LeakSection
from plugin_spec.manifest import Manifest, TrainingDataset

# How training_data begins where a method learnt from nothing.
_NOTHING: Final = re.compile(r"\s*none\b", re.IGNORECASE)
_NAME_LENGTH_MIN: Final = 4  # a shorter name says too little to be looked for in a title
EVERY_CASE: Final = "every case"


def find_leaks(folder: KitFolder, manifest: Manifest, uids: Mapping[str, frozenset[str]]) -> LeakSection:
    """Compare a kit with the training data that a plugin declares.

    Parameters
    ----------
    folder : KitFolder
    manifest : Manifest
    uids : mapping of str to frozenset of str
        Case to the DICOM UIDs of its inputs, as `host.kits.identifiers` reads them; empty where none were read.

    Returns
    -------
    LeakSection
        With every overlap that was found.
    """
    about = manifest.attribution
    if not about.training_datasets:
        declared = _NOTHING.match(about.training_data) is not None
        return LeakSection(declared=declared, training_data=(about.training_data,))
    found: list[LeakFinding] = []
    compared: list[str] = []
    for training in about.training_datasets:
        found += [*_same_files(folder, training), *_same_images(uids, training)]
        found += _same_subjects(folder, training) if _same_data(folder, training) else ()
        compared.append(_compared(folder, training, sum(map(len, uids.values()))))
    return LeakSection(
        declared=True,
        training_data=tuple(one.name for one in about.training_datasets),
        compared=tuple(compared),
        found=tuple(found),
    )


def require_no_leak(folder: KitFolder, manifest: Manifest, section: LeakSection) -> None:
    """Refuse a kit that a plugin learnt from: what it was taught is no evidence of what it can do.

    Raises
    ------
    KitLeakError
        One line with the first overlap, and how many more there are.
    """
    if section.found:
        first, more = section.found[0], len(section.found) - 1
        others = f" (and {more} more)" if more else ""
        raise KitLeakError(
            f"{manifest.id} declares that it learnt from {first.training_data!r}, and {folder.kit.id} holds the same: "
            f"{first.case}: {first.what}{others}",
            subject=folder.kit.id,
            hint="validate on a kit of other subjects; if the same data set was used with others, name those it learnt "
            "from in training_datasets.subject_ids",
        )


def _same_files(folder: KitFolder, training: TrainingDataset) -> Iterator[LeakFinding]:
    declared = set(training.digests)
    for source in folder.source_files:
        if source.pinned.sha256 in declared:
            yield _finding(EVERY_CASE, f"{source.pinned.name}, {source.pinned.sha256}", training)
    for case in folder.cases:
        for file in case.files():
            if file.sha256 in declared:
                yield _finding(case.case_id, f"{file.path}, {file.sha256}", training)


def _same_images(uids: Mapping[str, frozenset[str]], training: TrainingDataset) -> Iterator[LeakFinding]:
    for case_id, of_case in uids.items():
        for uid in sorted(of_case & set(training.identifiers)):
            yield _finding(case_id, f"DICOM UID {uid}", training)


def _same_data(folder: KitFolder, training: TrainingDataset) -> bool:
    """Whether it is the kit's data set, by DOI or by name."""
    dataset = folder.kit.dataset
    doi = dataset.doi.casefold()
    if doi and doi in (f"{training.doi or ''}".casefold(), *_words_between_spaces(training.source)):
        return True
    wanted = _words(training.name)
    return len(wanted) >= _NAME_LENGTH_MIN and any(
        f" {wanted} " in f" {_words(name)} " for name in (dataset.title, *dataset.other_names)
    )


def _same_subjects(folder: KitFolder, training: TrainingDataset) -> Iterator[LeakFinding]:
    """The subjects of a kit of the same data set that were learnt from; all, where none are named."""
    if not training.subject_ids:
        yield _finding(EVERY_CASE, f"the data set {folder.kit.dataset.title!r}", training)
        return
    for case in folder.cases:
        if case.subject_id in training.subject_ids:
            yield _finding(case.case_id, f"subject {case.subject_id}", training)


def _words_between_spaces(text: str) -> Iterator[str]:
    """DOIs in a source: bare, or behind doi: or the resolver's address."""
    for word in text.casefold().split():
        yield re.sub(r"^(https?://(dx\.)?doi\.org/|doi:)", "", word).rstrip(".,;)")


def _words(name: str) -> str:
    """A name as its letters and digits, in words."""
    return " ".join(re.findall(r"[^\W_]+", name.casefold()))


def _compared(folder: KitFolder, training: TrainingDataset, uids: int) -> str:
    files = len({file.sha256 for case in folder.cases for file in case.files()} | _source_digests(folder))
    parts = [
        "name and DOI",
        f"{len(training.digests)} declared digests with {files} of the kit's",
        f"{len(training.identifiers)} declared identifiers with {uids} DICOM UIDs",
    ]
    if training.subject_ids:
        parts.append(f"{len(training.subject_ids)} declared subjects")
    return f"{training.name}: {', '.join(parts)}"


def _source_digests(folder: KitFolder) -> set[str]:
    return {source.pinned.sha256 for source in folder.source_files}


def _finding(case: str, what: str, training: TrainingDataset) -> LeakFinding:
    return LeakFinding(case=case, what=what, training_data=training.name)
