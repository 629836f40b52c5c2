"""Measured samples that others published together with their results; one subject per place."""

from typing import Final

# Bland and Altman 1986, Lancet 327, 307-310, table 1: peak flow in l/min of 17 subjects, twice on each of two meters.
WRIGHT_1: Final = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
WRIGHT_2: Final = (490, 397, 512, 401, 470, 611, 415, 431, 638, 429, 420, 633, 275, 492, 165, 372, 421)
MINI_1: Final = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
MINI_2: Final = (525, 415, 508, 444, 500, 625, 460, 390, 642, 432, 420, 605, 227, 467, 268, 370, 443)

# Shrout and Fleiss 1979, Psychological Bulletin 86, 420-428, table 2: six subjects, four judges.
RATINGS: Final = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))

# NCSS Statistical Software, chapter 303 "Deming Regression", example 1: ten subjects measured by two methods.
DEMING_X: Final = (7.0, 8.3, 10.5, 9.0, 5.1, 8.2, 10.2, 10.3, 7.1, 5.9)
DEMING_Y: Final = (7.9, 8.2, 9.6, 9.0, 6.5, 7.3, 10.2, 10.6, 6.3, 5.2)
