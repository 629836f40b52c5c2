"""Fit the three coefficients on the even rows of the Wisconsin table, and write ``coefficients.json``.

Usage: ``python train.py breast_cancer.csv``. The odd rows are left alone: the kit ``fna-wdbc-odd-rows`` is made of
them. Rows are counted from 1 under the header of the file as scikit-learn ships it.
"""

import csv
import json
import sys
from pathlib import Path

import numpy as np

# Position of each feature among the 30 of the file: 10 means, 10 standard errors, 10 worst values.
FEATURES = {"texture_mean": 1, "area_worst": 23, "smoothness_worst": 24}
LABEL = 30  # 0 malignant, 1 benign
DIGITS = 6  # significant, so that the last bit of a linear algebra library does not reach the file


def training_rows(table: Path) -> tuple[np.ndarray, np.ndarray]:
    """Features (n, 3) and malignancy (n,) of the even rows."""
    with table.open(encoding="utf-8", newline="") as lines:
        rows = [[float(cell) for cell in row] for row in list(csv.reader(lines))[1:]]
    even = np.array(rows[1::2])
    return even[:, list(FEATURES.values())], even[:, LABEL] == 0


def fit(features: np.ndarray, malignant: np.ndarray, iterations: int = 50) -> np.ndarray:
    """Maximum likelihood of a logistic regression by Newton's method, without a penalty.

    Parameters
    ----------
    features : ndarray, shape (n, k)
    malignant : ndarray of bool, shape (n,)
    iterations : int

    Returns
    -------
    ndarray, shape (k + 1,)
        Intercept, and log odds per unit of each feature.

    Raises
    ------
    ValueError
        It does not settle, as where one feature separates the classes.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0)
    design = np.column_stack([np.ones(len(features)), (features - mean) / spread])
    weights = np.zeros(design.shape[1])
    for _ in range(iterations):
        risk = 1 / (1 + np.exp(-design @ weights))
        information = (design * (risk * (1 - risk))[:, None]).T @ design
        step = np.linalg.solve(information, design.T @ (malignant - risk))
        weights = weights + step
        if np.abs(step).max() < 1e-10:
            slopes = weights[1:] / spread
            return np.concatenate([[weights[0] - slopes @ mean], slopes])
    raise ValueError("the fit does not settle")


def document(features: np.ndarray, malignant: np.ndarray) -> dict[str, object]:
    """What the adapter reads: coefficients, the range of each feature, and how many patients taught them."""
    intercept, *slopes = (float(f"{value:.{DIGITS}g}") for value in fit(features, malignant))
    columns = zip(FEATURES, slopes, features.min(axis=0), features.max(axis=0), strict=True)
    return {
        "patients": len(malignant),
        "intercept": intercept,
        "features": {
            name: {"per_unit": slope, "lowest": float(low), "highest": float(high)}
            for name, slope, low, high in columns
        },
    }


def main() -> None:
    """Write ``coefficients.json`` beside this script."""
    found = document(*training_rows(Path(sys.argv[1])))
    target = Path(__file__).with_name("coefficients.json")
    target.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
