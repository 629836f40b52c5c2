"""Make the cases of this kit: the odd rows of the Wisconsin table, one small file each.

Usage: ``python make_kit.py IN OUT [CASES_CSV]``. IN holds ``breast_cancer.csv``; OUT receives ``cases/*.json``;
CASES_CSV, when named, receives the table of cases with digests (done once, then committed).

Rows are counted from 1 under the header. The even rows taught the plugin ``fna-malignancy`` and are left alone. Three
cases are derived, each from one row with one thing wrong, and must be refused. Standard library only.
"""

import csv
import hashlib
import json
import sys
from pathlib import Path

# Position among the 30 features of a row: 10 means, 10 standard errors, 10 worst values.
FEATURES = {"texture_mean": 1, "area_worst": 23, "smoothness_worst": 24}
LABEL = 30
CLASSES = ("malignant", "benign")  # 0 and 1 in the table
SIZES = ("small", "middle", "large")
SMOKE_EVERY = 12  # every twelfth case proves the path: 24 patients of both classes
HEADER = (
    "case_id", "subject_id", "expected", "evidence", "smoke", "in.features", "in.features.sha256",
    "class.finding", "stratum.nuclei",
)  # fmt: skip


def odd_rows(table: Path) -> list[tuple[str, dict[str, float], str]]:
    """Subject, features and class of every odd row."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.reader(lines))[1:]
    return [
        (
            f"row-{number:03d}",
            {name: float(row[at]) for name, at in FEATURES.items()},
            CLASSES[int(row[LABEL])],
        )
        for number, row in enumerate(rows, start=1)
        if number % 2 == 1
    ]


def thirds(values: list[float]) -> list[str]:
    """The third of the sample that each value lies in."""
    ranked = sorted(values)
    edges = (ranked[len(ranked) // 3], ranked[2 * len(ranked) // 3])
    return [SIZES[sum(value >= edge for edge in edges)] for value in values]


def spoilt(rows: list[tuple[str, dict[str, float], str]]) -> list[tuple[str, str, dict[str, float]]]:
    """Case, subject and features of what must be refused."""
    (first, a, _), (second, b, _), (third, c, _) = rows[:3]
    return [
        ("area-in-square-millimetres", first, {**a, "area_worst": round(a["area_worst"] * 1e-6, 9)}),
        ("no-texture", second, {name: value for name, value in b.items() if name != "texture_mean"}),
        ("smoothness-in-percent", third, {**c, "smoothness_worst": round(c["smoothness_worst"] * 100, 6)}),
    ]


def write(out: Path, case: str, features: dict[str, float]) -> tuple[str, str]:
    """Write a case's file; path and digest as in cases.csv."""
    path = f"cases/{case}.json"
    data = (json.dumps(features, sort_keys=True) + "\n").encode()
    (out / path).write_bytes(data)
    return path, f"sha256:{hashlib.sha256(data).hexdigest()}"


def main(source: Path, out: Path, table: Path | None) -> None:
    """Write the case files, and the table of cases where it is named."""
    (out / "cases").mkdir(parents=True)
    rows = odd_rows(source / "breast_cancer.csv")
    sizes = thirds([features["area_worst"] for _, features, _ in rows])
    cases = []
    for at, ((subject, features, label), size) in enumerate(zip(rows, sizes, strict=True)):
        smoke = "yes" if at % SMOKE_EVERY == 0 else "no"
        cases.append((subject, subject, "ok", "patient", smoke, *write(out, subject, features), label, size))
    for case, subject, features in spoilt(rows):
        cases.append((case, subject, "refused", "derived", "yes", *write(out, case, features), "", "spoilt"))
    if table is not None:
        with table.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows([HEADER, *cases])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) > 3 else None)
