"""Rules on what a reviewer would stumble over (K7xx): warnings, of which only K711 keeps a kit from registration."""

from collections.abc import Iterator

from host.kits.check.evidence import scope_counts
from host.kits.check.files import licences_of
from host.kits.check.parts import CASES, Found, KitParts, Place, in_kit, in_protocol
from plugin_spec.model import FILL_IN
from plugin_spec.review import NOT_STATED, texts

WAITS_FOR_A_HUMAN = "K711"
FOR_PEOPLE = ("README.md", "LICENSE")
ALWAYS_USED = ("case_id", "subject_id", "expected", "evidence", "smoke", "session")


def criteria_can_end_in_a_verdict(parts: KitParts) -> Found:
    """K701: each criterion has the cases and patients it asks for in each of its scopes.

    Fix: add cases, or say in the question that the kit is a case series.
    """
    numbers = {one.id: number for number, one in enumerate(parts.protocol.criteria)}
    for count in scope_counts(parts.protocol, parts.cases):
        if count.lacking:
            message = (
                f'{count.criterion} in {count.scope} can only end in "insufficient evidence": {count.lacking}'
            )
            fix = "add cases, or say in the question that the kit is a case series"
            yield in_protocol(f"criteria.{numbers[count.criterion]}"), message, fix


def columns_are_used(parts: KitParts) -> Found:
    """K702: each column of cases.csv is looked at by a metric, a stratum, a parameter or a reader.

    Fix: leave the column out, or declare the metric it is for.
    """
    used = set(_used_columns(parts))
    for column in parts.header:
        name = column.removesuffix(".sha256")
        fixed = name in ALWAYS_USED or name.startswith(("in.", "param.", "reader.", "stratum."))
        if not fixed and name not in used and column == name:
            yield Place(CASES, column, 1), "no metric looks at it", "leave it out, or declare its metric"


def _used_columns(parts: KitParts) -> Iterator[str]:
    for metric in parts.protocol.metrics:
        yield f"value.{metric.column}"
        for group in ("ref", "class", "time", "event", "baseline"):
            yield f"{group}.{metric.port}"


def sources_are_used(parts: KitParts) -> Found:
    """K703: each source is a case file, or there is a generator that reads it.

    Fix: leave the source out, or name it in cases.csv as source:NAME.
    """
    if parts.kit.generator is not None:
        return
    used = {file.path for case in parts.cases for file in case.files()}
    for number, source in enumerate(parts.kit.sources):
        if f"source/{source.file}" not in used:
            fix = f"leave it out, or write source:{source.name} in cases.csv"
            yield in_kit(f"sources.{number}"), f"no case uses source {source.name}", fix


def something_is_to_be_refused(parts: KitParts) -> Found:
    """K704: at least one case is to be refused: a plugin that answers on anything would not be told.

    Fix: add a case outside the acceptance domain with expected = refused.
    """
    if all(case.expected == "ok" for case in parts.cases):
        fix = "add a case outside the acceptance domain with expected = refused"
        yield Place(CASES, "expected", 1), "no case is to be refused", fix


def measurands_are_judged(parts: KitParts) -> Found:
    """K705: a metric looks at each measurand.

    Fix: add a metric on the column, or leave the measurand out.
    """
    judged = {metric.column for metric in parts.protocol.metrics}
    for number, one in enumerate(parts.kit.measurands):
        if one.column not in judged:
            fix = "add a metric on the column, or leave the measurand out"
            yield in_kit(f"measurands.{number}.column"), f"no metric looks at {one.column}", fix


def a_smoke_subset_is_marked(parts: KitParts) -> Found:
    """K706: a few cases are marked smoke, so that the path can be tried before the whole kit runs.

    Fix: write yes in the column smoke of one or two cases.
    """
    if not any(case.smoke for case in parts.cases):
        fix = "write yes in the column smoke of one or two cases"
        yield Place(CASES, "smoke", 1), "no case is marked smoke", fix


def readers_agreement_is_known(parts: KitParts) -> Found:
    """K707: where several readers made the reference standard, it is known how far they agree.

    Fix: add [[reference_standard.agreement]] with its source, or the columns reader.READER.… of two of them.
    """
    standard = parts.kit.reference_standard
    own = {reader for case in parts.cases for reader in case.readers}
    if standard.readers > 1 and not standard.agreement and len(own) < 2:
        fix = (
            "add [[reference_standard.agreement]] with its source, or columns reader.READER.… of two readers"
        )
        message = f"{standard.readers} readers, and nothing is known of their agreement"
        yield in_kit("reference_standard"), message, fix


def readers_are_described(parts: KitParts) -> Found:
    """K708: the readers of cases.csv are those that kit.toml describes.

    Fix: add [[reference_standard.reader]] with role and experience.
    """
    described = {one.id for one in parts.kit.reference_standard.reader}
    own = {reader for case in parts.cases for reader in case.readers}
    for reader in sorted(own - described):
        fix = f'add [[reference_standard.reader]] with id = "{reader}", role and experience'
        yield in_kit("reference_standard.reader"), f"does not describe reader {reader}", fix


def the_data_can_be_cited(parts: KitParts) -> Found:
    """K709: the data set has a citation, and a licence outside SPDX's list has its words.

    Fix: fill citation, and licence_text.
    """
    dataset = parts.kit.dataset
    if parts.kit.is_first:
        return
    if not dataset.citation and parts.kit.evidence != "phantom":
        yield in_kit("dataset"), "no citation: who made the data?", "fill citation as its authors ask for it"
    if "LicenseRef-" in dataset.licence and not dataset.licence_text:
        yield in_kit("dataset.licence"), f"{dataset.licence} has no words here", "fill licence_text"


def the_folder_is_complete(parts: KitParts) -> Found:
    """K710: the folder holds a README.md for people and the LICENSE of the kit's own files.

    Fix: write the file.
    """
    for name in FOR_PEOPLE:
        if not (parts.path / name).is_file():
            yield Place(name, ""), "is not there", "write it"


def people_have_typed_their_part(parts: KitParts) -> Found:
    """K711: what a scaffold could not know is typed; until then assay kit register refuses.

    Fix: replace the text after FILL IN: (and the licence NOASSERTION) by what holds for this kit.
    """
    for where, text in _all_texts(parts):
        if FILL_IN in text:
            yield where, "a human must still type this", _wanted(text)
    for field, licence in licences_of(parts):
        if licence == NOT_STATED:
            yield in_kit(field), "a human must still type this", "write the SPDX licence, such as CC-BY-4.0"


def times_have_a_unit(parts: KitParts) -> Found:
    """K712: the times of cases and the horizons of the protocol are in a unit.

    Fix: write time_unit = "mo" (d, mo, a).
    """
    if parts.kit.time_unit is None and any(case.times for case in parts.cases):
        yield (
            in_kit("time_unit"),
            "the times of cases.csv have no unit",
            'write time_unit = "mo" (d, mo, a)',
        )


def _all_texts(parts: KitParts) -> Iterator[tuple[Place, str]]:
    """Every text of the kit: of its documents, its table of cases and its pages."""
    documents = ((parts.kit, in_kit), (parts.protocol, in_protocol))
    for model, place in documents:
        for field, text in texts(model.model_dump(mode="json", exclude_unset=True), ""):
            yield place(field), text
    for line, case in parts.rows:
        for field, text in texts(case.model_dump(mode="json"), ""):
            yield Place(CASES, field, line), text
    for name in FOR_PEOPLE:
        path = parts.path / name
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
        for line, text in enumerate(lines, start=1):
            yield Place(name, "", line), text


def _wanted(text: str) -> str:
    wanted = text.partition(FILL_IN)[2].strip()
    return f"write {wanted}" if wanted else "write it"
