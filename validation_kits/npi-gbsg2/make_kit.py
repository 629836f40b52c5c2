"""Make the cases of this kit: the 686 women of the GBSG 2 table, one small file each.

Usage: ``python make_kit.py IN OUT [CASES_CSV]``. IN holds ``gbsg2.csv``; OUT receives ``cases/*.json``; CASES_CSV, when
named, receives the table of cases with digests (done once, then committed). Standard library only.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

GRADES = {"I": 1, "II": 2, "III": 3}
MAX_AGE_YEARS, MAX_INDEX = 70, 6.9  # beyond, nothing is published for the index: to be refused
SMOKE_EVERY = 20  # every twentieth case proves the path
HEADER = (
    "case_id", "subject_id", "expected", "evidence", "smoke", "in.pathology", "in.pathology.sha256",
    "time.npi", "event.npi", "baseline.npi", "stratum.menopause", "stratum.hormone_therapy",
)  # fmt: skip


def women(table: Path) -> list[tuple[str, dict[str, str]]]:
    """Subject and row of every woman, counted from 1 under the header."""
    with table.open(encoding="utf-8", newline="") as lines:
        return [(f"woman-{number:03d}", row) for number, row in enumerate(csv.DictReader(lines), start=1)]


def pathology(row: dict[str, str]) -> dict[str, int]:
    """What the plugin is given."""
    return {
        "age_years": int(row["age"]),
        "size_mm": int(row["tsize"]),
        "nodes_positive": int(row["pnodes"]),
        "grade": GRADES[row["tgrade"]],
    }


def expected(given: dict[str, int]) -> str:
    """``ok`` or ``refused``: whether figures on the index were published for such a woman.

    Whole numbers decide: fifty times the index is size in mm + 50 × (node stage + grade).
    """
    stage = 1 + (given["nodes_positive"] > 0) + (given["nodes_positive"] > 3)
    fifty_times_index = given["size_mm"] + 50 * (stage + given["grade"])
    inside = given["age_years"] <= MAX_AGE_YEARS and fifty_times_index <= round(50 * MAX_INDEX)
    return "ok" if inside else "refused"


def write(out: Path, subject: str, given: dict[str, int]) -> tuple[str, str]:
    """Write a case's file; path and digest as in cases.csv."""
    path = f"cases/{subject}.json"
    data = (json.dumps(given, sort_keys=True) + "\n").encode()
    (out / path).write_bytes(data)
    return path, f"sha256:{hashlib.sha256(data).hexdigest()}"


def main(source: Path, out: Path, table: Path | None) -> None:
    """Write the case files, and the table of cases where it is named."""
    (out / "cases").mkdir(parents=True)
    cases = []
    for at, (subject, row) in enumerate(women(source / "gbsg2.csv")):
        given = pathology(row)
        cases.append(
            (
                subject, subject, expected(given), "patient", "yes" if at % SMOKE_EVERY == 0 else "no",
                *write(out, subject, given),
                row["time"], "yes" if row["cens"] == "1" else "no", row["tsize"],
                row["menostat"].lower(), row["horTh"],
            )
        )  # fmt: skip
    if table is not None:
        with table.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows([HEADER, *cases])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
