"""Whether the plugin declares to have learnt from the kit it was validated on."""

from host.installed import read_stored_manifest
from host.kits.leak import find_leaks
from host.reports.recheck.evidence import Evidence


def nothing_was_learnt_from_the_kit(evidence: Evidence) -> str:
    """Compare again what is declared; the UIDs of images, which no registered file holds, were compared then."""
    manifest = read_stored_manifest(evidence.registry, evidence.report.release.manifest)
    again, told = find_leaks(evidence.kit, manifest, {}), evidence.report.leak
    evidence.same("leak check", again.found, ())
    if told is None and evidence.report.contract == "assay.report/1":
        return "nothing that the plugin declares to have learnt from is in the kit; the report itself has no check"
    if told is None:
        raise evidence.fault("the report does not say whether the plugin learnt from the kit")
    expected = (again.declared, again.training_data, again.found)
    evidence.same("leak check", (told.declared, told.training_data, told.found), expected)
    if not told.declared:
        return "whether the plugin learnt from the kit cannot be told: it does not declare its training data"
    return "nothing that the plugin declares to have learnt from is in the kit"
