"""Ovarian cancer with intestinal obstruction: the sample on which the method of DeLong is published.

DeLong, DeLong and Clarke-Pearson (1988) report on 49 patients; these are the 43 with all three markers, as printed in
the SAS/STAT User's Guide, "The LOGISTIC Procedure", example "Comparing Receiver Operating Characteristic Curves".
One patient per place.
"""

from typing import Final

# Serum albumin.
ALBUMIN: Final = (
    3.0, 3.2, 3.9, 2.8, 3.2, 0.9, 2.5, 1.6, 3.8, 3.7, 3.2, 3.8, 4.1, 3.6, 4.3, 3.6, 2.3, 4.2, 4.0, 3.5,
    3.8, 3.0, 4.5, 3.7, 3.1, 4.1, 4.3, 4.3, 3.2, 2.6, 3.3, 1.7, 3.7, 3.3, 4.2, 3.5, 2.9, 2.1, 2.8, 4.0,
    3.3, 3.7, 3.6,
)  # fmt: skip
# Total protein.
TOTAL_PROTEIN: Final = (
    5.8, 6.3, 6.8, 4.8, 5.8, 4.0, 5.7, 5.6, 5.7, 6.7, 5.4, 6.6, 6.6, 5.7, 7.0, 6.7, 4.4, 7.6, 6.6, 5.8,
    6.8, 4.7, 7.4, 7.4, 6.6, 8.2, 7.0, 6.5, 5.1, 4.7, 6.8, 4.0, 6.1, 6.3, 7.7, 6.2, 5.7, 4.8, 6.2, 7.0,
    5.7, 6.9, 6.6,
)  # fmt: skip
# The K-G score. A high one speaks against benefit: SAS analyses 10 minus it.
KG_SCORE: Final = (
    10, 5, 3, 6, 3, 5, 8, 5, 5, 6, 4, 6, 5, 5, 4, 4, 6, 4, 6, 6, 7, 8, 5, 5, 6, 6, 5, 4, 5, 6, 6, 7, 5, 7,
    6, 5, 9, 7, 8, 7, 6, 5, 5,
)  # fmt: skip
# The reference standard, SAS's `popind`.
BENEFIT: Final = (
    0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 1, 1,
    1, 1, 0, 1, 0, 1, 1, 1, 1,
)  # fmt: skip
