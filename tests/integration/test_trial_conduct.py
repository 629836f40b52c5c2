"""A trial's conduct through the command line: activation, results of record, reruns, drift, amendments."""

from pathlib import Path

import pytest

from tests.support.tiny import TRIAL, TinyWorld, write_scan

pytestmark = [pytest.mark.docker, pytest.mark.slow]


def run(scan: Path, *more: object) -> tuple[object, ...]:
    return ("trial", "run", TRIAL, "--input", f"scan={scan}", "--subject", "S-001", "--visit", "v1", *more)


def test_a_visit_has_one_result_of_record_and_an_amendment_says_what_it_affects(tiny: TinyWorld) -> None:
    sponsor, site = tiny.sponsor, tiny.site
    scan = write_scan(tiny.folder / "scan.nii", "answer")
    first = site.read(*run(scan))["run"]
    refused = site(*run(scan)).refused()
    assert (refused.code, refused.hint) == (
        "rerun-without-reason",
        f"assay trial run --rerun-of {first} --reason CODE",
    )
    second = site.read(*run(scan, "--rerun-of", first, "--reason", "rescan"))["run"]
    shown = site.read("trial", "results", TRIAL)
    assert [one["run"] for one in shown["results"]] == [second]
    assert [(one["run"], one["by"], one["reason"]) for one in shown["superseded"]] == [
        (first, second, "rescan")
    ]

    again = sponsor("trial", "activate", TRIAL, "--site", "site-01", "--as", "sofia").refused()
    assert again.code == "already-logged"
    site.do("trial", "return", TRIAL, "--out", tiny.folder / "records")
    sponsor.do("trial", "import", tiny.folder / "records", "--as", "sofia")
    assert sponsor.read("trial", "drift", TRIAL)["drifts"] == []
    listed = sponsor.read("trial", "impact", TRIAL)
    assert [(one["subject"], one["visit"], one["site"]) for one in listed["results"]] == [
        ("S-001", "v1", "site-01")
    ]

    why = ("--impact", "none", "--justification", "values do not depend on it", "--reason", "one engine less")
    amend = ("trial", "amend", TRIAL, "--class", "deviation", *why, "--engine", "docker", "--as", "sofia")
    stale = sponsor(*amend, "--affected", "sha256:" + "0" * 64).refused()
    assert stale.code == "amendment-impact-changed"
    sponsor.do(*amend, "--affected", listed["affected"])
    newest = sponsor.read("trial", "status", TRIAL)["locks"][-1]["lock"]
    assert (newest["sequence"], newest["engines"]) == (2, ["docker"])
    assert newest["amendment"]["affected"] == listed["affected"]
