"""Forged trial bundles, one for every attack on a bundle, each with the error that refuses it."""

from collections.abc import Mapping
from types import MappingProxyType

from tests.support import forged_files, forged_locks
from tests.support.forged_records import CORPUS as FORGED
from tests.support.forged_records import Forgery

# What adds its own to the list when it is imported.
PARTS = (forged_locks, forged_files)
CORPUS: Mapping[str, Forgery] = MappingProxyType(FORGED)
__all__ = ["CORPUS", "Forgery"]
