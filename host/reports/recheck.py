"""Check a logged report again, from what was registered and recorded, not from what it says of itself.

Not checked again are the values of mask metrics of cases that answered: that would mean scoring the stored
outputs anew. What a failed or refused case counts as, and every other value, is.
"""

from collections.abc import Callable, Mapping

from pydantic import ValidationError

from host.agreement import visibly_differ
from host.errors import ReportMismatchError
from host.execution import Execution
from host.installed import read_stored_manifest
from host.kits.kit import KitFolder, Listing, parse_kit
from host.kits.leak import find_leaks
from host.kits.reader_agreement import is_of_masks
from host.kits.readers import reader_section
from host.reports.analyses import analyse
from host.reports.marks import check_agreement
from host.reports.model import CaseSection, Report
from host.reports.observed import observed_rows
from host.reports.pdf.agreement import check_pdf
from host.reports.sections import ReaderSection
from host.reports.sensitivity import sensitivity
from host.reports.write import read_report
from host.validation.rows import CaseRow
from host.validation.scoring import follows_from_records, score
from host.validation.verdict import evaluate
from host.warm.equality import agreement_of, claimed
from plugin_spec.model import first_fault
from registry.esignature import check as check_signature
from registry.esignature import describe
from registry.log import Record
from registry.registry import Registry
from registry.statements import ESignature, Protocol, RunFinished, RunStarted, ValidationReport


def recheck(registry: Registry, record: Record) -> tuple[str, ...]:
    """Verify a report and say in one line each what was verified.

    Raises
    ------
    BlobMismatchError, MissingBlobError
        A stored file is not what was signed, or is gone.
    ReportMismatchError
        The report does not follow from the registered kit and the recorded runs.
    """
    checking = _Checking(registry, record)
    steps: tuple[Callable[[], str], ...] = (
        checking.bytes_are_signed,
        checking.identity_is_logged,
        checking.protocol_was_first,
        checking.cases_are_registered,
        checking.runs_are_recorded,
        checking.values_follow,
        checking.verdict_follows,
        checking.figures_follow,
        checking.nothing_was_learnt_from_the_kit,
        checking.readers_are_registered,
    )
    return (*[step() for step in steps], *checking.signatures())


class _Checking:
    def __init__(self, registry: Registry, record: Record) -> None:
        self._registry = registry
        self._record = record
        self._logged = record.statement.read(ValidationReport)
        for file in self._logged.files:
            registry.blobs.verify(file.digest)
        self._report: Report = read_report(registry.blobs.path(self._logged.report_json.digest).read_bytes())
        self._planned = registry.log.record(self._logged.protocol)
        self._kit = stored_kit(registry, self._planned.statement.read(Protocol))

    def bytes_are_signed(self) -> str:
        html, pdf = self._logged.report_html, self._logged.report_pdf
        page = self._registry.blobs.path(html.digest).read_bytes()
        check_agreement(self._report, page)
        self._same("rendering", self._report.renderings, self._logged.renderings)
        if pdf is None:
            return (
                "report.json and report.html are the signed bytes, and every marked figure of the page agrees"
            )
        check_pdf(self._report, page, self._registry.blobs.path(pdf.digest).read_bytes())
        return (
            "report.json, report.html and report.pdf are the signed bytes, every marked figure of the page agrees, "
            "and every text of it stands in the PDF"
        )

    def identity_is_logged(self) -> str:
        logged, report = self._logged, self._report
        self._same("validation", report.validation, logged.validation)
        self._same("release", report.release.record, logged.release)
        self._same(
            "evidence", (report.kit.evidence, self._kit.kit.evidence), (logged.evidence, logged.evidence)
        )
        self._same("subset", (report.subset, len(report.cases)), (logged.subset, logged.cases))
        return f"it is the report of validation {logged.validation}: {logged.subset}, {logged.cases} cases"

    def protocol_was_first(self) -> str:
        self._same("protocol", self._report.protocol, self._kit.protocol)
        if self._planned.sequence >= self._registry.log.record(self._logged.started).sequence:
            raise self._fault("the protocol was logged after the validation started")
        return f"its protocol is the registered one, log entry {self._planned.sequence}, before the first run"

    def cases_are_registered(self) -> str:
        expected = [
            (one.case_id, one.subject_id, one.expected, one.strata)
            for one in self._kit.selected(smoke=self._logged.subset == "smoke")
        ]
        rows = [section.row for section in self._report.cases]
        self._same("cases", [(r.case, r.subject, r.expected, r.strata) for r in rows], expected)
        return f"its {len(rows)} cases are those of the registered kit, none left out"

    def runs_are_recorded(self) -> str:
        records = self._registry.records
        starts = [one.statement.read(RunStarted) for one in records(RunStarted.predicate_type)]
        ends = [one.statement.read(RunFinished) for one in records(RunFinished.predicate_type)]
        begun = {one.run: one for one in starts if one.validation == self._logged.validation}
        ended = {one.run: one for one in ends if one.run in begun}
        fresh = {run: one for run, one in begun.items() if one.container == "fresh"}
        self._same("runs", sorted(fresh), sorted(section.run for section in self._report.cases))
        for section in self._report.cases:
            self._same("run", _told(section), _recorded(begun[section.run], ended.get(section.run)))
        self._warm_runs_are_recorded(begun, ended)
        return (
            f"each case has one recorded run of this validation, with the same end and numbers ({len(fresh)})"
        )

    def _warm_runs_are_recorded(
        self, begun: Mapping[str, RunStarted], ended: Mapping[str, RunFinished]
    ) -> None:
        """Check the comparison with warm containers: all cases, and no difference left out that the records show."""
        warm = self._report.warm
        self._same("warm agreement", warm.agreement if warm else None, self._logged.warm)
        recorded = sorted(run for run, one in begun.items() if one.container == "warm")
        self._same("warm runs", recorded, sorted(one.run for one in warm.runs) if warm else [])
        if warm is None:
            return
        manifest = read_stored_manifest(self._registry, self._report.release.manifest)
        fresh = {section.row.case: ended[section.run] for section in self._report.cases}
        self._same("warm cases", sorted(one.case for one in warm.runs), sorted(fresh))
        for one in warm.runs:
            self._same("warm case", begun[one.run].case, one.case)
            shown = visibly_differ(manifest, fresh[one.case], ended[one.run])
            self._same(f"warm run of {one.case}", bool(one.differences) or not shown, True)
        found = agreement_of(
            claimed(manifest),
            [one.differences for one in warm.runs],
            answered=any(one.outcome == "ok" for one in fresh.values()),
        )
        self._same("warm agreement", warm.agreement, found)

    def values_follow(self) -> str:
        manifest = read_stored_manifest(self._registry, self._report.release.manifest)
        selected = self._kit.selected(smoke=self._logged.subset == "smoke")
        for case, section in zip(selected, self._report.cases, strict=True):
            found, protocol = section.row, self._kit.protocol
            unseen = {one.id for one in protocol.metrics if not follows_from_records(one, found.outcome)}
            seen = tuple(one for one in protocol.metrics if one.id not in unseen)
            again = score(
                case,
                Execution(found.outcome, found.reason_code, ""),
                manifest=manifest,
                protocol=protocol.model_copy(update={"metrics": seen}),
                measured=section.measured,
                references={},
            )
            kept = _figures_of(found, unseen if case.expected == "ok" else set())
            lost = unseen if (case.expected, found.outcome == "ok") == ("ok", False) else set()
            counted = {
                "values": {**dict.fromkeys(unseen), **kept.values, **again.values},
                "observations": {**kept.observations, **again.observations},
                "imputed": tuple(one.id for one in protocol.metrics if one.id in {*again.imputed, *lost}),
            }
            self._same(f"row of {case.case_id}", found, again.model_copy(update=counted))
        return "what each case counts as follows from its run, as the protocol declares it"

    def verdict_follows(self) -> str:
        again = evaluate(self._kit.protocol, [section.row for section in self._report.cases])
        self._same("verdict", (self._report.verdict, again.verdict), (again, self._logged.verdict))
        return (
            f"the verdict ({self._logged.verdict}) follows from the results table and the registered protocol"
        )

    def figures_follow(self) -> str:
        """Analyses and sensitivity of a report that has them; those of the first contract have none."""
        report, protocol = self._report, self._kit.protocol
        if report.contract == "assay.report/1":
            return "it is a report of the first contract, and has no analyses beside its criteria"
        rows = observed_rows(protocol, report.cases)
        self._same("analyses", report.analyses, analyse(protocol, rows))
        self._same("sensitivity", report.sensitivity, sensitivity(protocol, rows, report.verdict))
        shown = f"{len(report.analyses)} analyses and {len(report.sensitivity)} sensitivity rows"
        return f"its {shown} follow from its cases"

    def nothing_was_learnt_from_the_kit(self) -> str:
        """Compare again what is declared; the UIDs of images, which no registered file holds, were compared then."""
        manifest = read_stored_manifest(self._registry, self._report.release.manifest)
        again, told = find_leaks(self._kit, manifest, {}), self._report.leak
        self._same("leak check", again.found, ())
        if told is None:
            return "nothing that the plugin declares to have learnt from is in the kit; the report itself has no check"
        expected = (again.declared, again.training_data, again.found)
        self._same("leak check", (told.declared, told.training_data, told.found), expected)
        if not told.declared:
            return (
                "whether the plugin learnt from the kit cannot be told: it does not declare its training data"
            )
        return "nothing that the plugin declares to have learnt from is in the kit"

    def readers_are_registered(self) -> str:
        """Compare readers and agreement, as far as registered files tell: not what was computed from their masks."""
        told, registered = self._report.readers, reader_section(self._kit, None) or ReaderSection()
        if told is None:
            return "the report tells of no readers"
        rest = tuple(one for one in told.agreement if not is_of_masks(one))
        self._same("section on readers", told.model_copy(update={"agreement": rest}), registered)
        return (
            "its readers, and their agreement but for what was computed from masks, are the registered kit's"
        )

    def signatures(self) -> list[str]:
        lines = []
        for found in self._registry.records(ESignature.predicate_type, subject=self._record.digest):
            signature = found.statement.read(ESignature)
            check_signature(signature, self._registry.roots.at(found.sequence))
            lines.append(f"signed: {describe(signature)}")
        return lines

    def _same(self, what: str, found: object, expected: object) -> None:
        if found != expected:
            raise self._fault(f"the {what} in the report is not what was registered and recorded")

    def _fault(self, message: str) -> ReportMismatchError:
        return ReportMismatchError(
            message, subject=self._record.digest, hint="do not sign it; validate again"
        )


def stored_kit(registry: Registry, planned: Protocol) -> KitFolder:
    """The kit as it was registered, from the blob store."""
    blobs = registry.blobs
    blobs.verify(planned.kit_digest)
    try:
        listing = Listing.model_validate_json(blobs.path(planned.kit_digest).read_bytes())
    except ValidationError as error:
        raise ReportMismatchError(
            f"the kit's list of files: {first_fault(error)}", subject=planned.kit
        ) from error
    contents = {}
    for name, file_digest in listing.files.items():
        blobs.verify(file_digest)
        contents[name] = blobs.path(file_digest).read_bytes()
    return parse_kit(contents, blobs.path(planned.kit_digest).parent)


def _figures_of(row: CaseRow, metrics: set[str]) -> CaseRow:
    """A row's own figures of some metrics."""
    return row.model_copy(
        update={
            "values": {name: row.values.get(name) for name in metrics},
            "observations": {name: row.observations[name] for name in metrics & row.observations.keys()},
        }
    )


def _told(section: CaseSection) -> tuple[object, ...]:
    row = section.row
    return row.case, row.subject, row.outcome, row.reason_code, section.measured


def _recorded(begun: RunStarted, ended: RunFinished | None) -> tuple[object, ...]:
    if ended is None:
        return (begun.case,)
    return begun.case, begun.subject, ended.outcome, ended.reason_code, ended.measured
