"""What a report is checked against: its signed record, and the plan and kit that were registered."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from host.errors import ReportMismatchError
from host.home import Home
from host.kits.data import check_data, data_folder
from host.kits.kit import KitFolder
from host.kits.stored import stored_kit
from host.reports.model import Report
from host.reports.write import parse_report
from registry.plans import find_plan
from registry.record import Record
from registry.registry import Registry
from registry.statements import Protocol, ValidationReport


@dataclass(frozen=True)
class Evidence:
    """A logged report, and what there is to check it against.

    Attributes
    ----------
    record : Record
        The signed record that names the report's files.
    planned, plan
        The protocol, or deviation, that it says it was validated by.
    kit : KitFolder
        As registered with that plan.
    """

    registry: Registry
    record: Record
    logged: ValidationReport
    report: Report
    planned: Record
    plan: Protocol
    kit: KitFolder

    @classmethod
    def of(cls, registry: Registry, record: Record) -> "Evidence":
        """Read a report and its kit from the registry, the bytes of both hashed first."""
        logged = record.statement.read(ValidationReport)
        for file in logged.files:
            registry.blobs.verify(file.digest)
        report = parse_report(registry.blobs.path(logged.report_json.digest).read_bytes())
        planned, plan = find_plan(registry, logged.protocol)
        return cls(registry, record, logged, report, planned, plan, stored_kit(registry, plan))

    @cached_property
    def data(self) -> Path | None:
        """The kit's case files, where they were made or fetched in this home; their digests are checked.

        Raises
        ------
        KitDigestError
            A case file is not the declared one.
        """
        home = Home(self.registry.home, self.registry.home)  # nothing of the cache is looked at
        if not data_folder(home, self.kit).is_dir():
            return None
        check_data(home, self.kit)
        return data_folder(home, self.kit)

    def same(self, what: str, found: object, expected: object) -> None:
        """Refuse the report where it says something else than is known. Raises `ReportMismatchError`."""
        if found != expected:
            raise self.fault(f"the {what} in the report is not what was registered and recorded")

    def fault(self, message: str) -> ReportMismatchError:
        """Make the error of a report that does not check out."""
        return ReportMismatchError(message, subject=self.record.digest, hint="do not sign it; validate again")
