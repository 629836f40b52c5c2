"""Which scorer scores which kind of metric."""

from collections.abc import Mapping
from typing import Final

from host.validation.metric import Kind
from host.validation.scorers.classes import CLASSES
from host.validation.scorers.findings import FINDINGS
from host.validation.scorers.lesions import LESIONS
from host.validation.scorers.masks import MASKS
from host.validation.scorers.numbers import NUMBERS
from host.validation.scorers.scorer import Scorer
from host.validation.scorers.survival import SURVIVAL

# The kinds that look at what a case put out; ``outcome`` and ``sameness`` do not.
SCORERS: Final[Mapping[Kind, Scorer]] = {
    "masks": MASKS,
    "lesions": LESIONS,
    "findings": FINDINGS,
    "numbers": NUMBERS,
    "classes": CLASSES,
    "survival": SURVIVAL,
}
