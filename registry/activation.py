"""A site's activation: the sponsor's word that it may start, without which nothing runs there.

Locks from before this record asked for none; see ``TrialLock.conduct``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from plugin_spec.model import Identifier
from registry.canonical import Digest
from registry.errors import (
    DuplicateRecordError,
    LockMismatchError,
    LockNotSignedError,
    SiteNotActivatedError,
    SiteNotEnrolledError,
)
from registry.statements import PREDICATE_PREFIX, Act

if TYPE_CHECKING:
    from registry.registry import Registry
    from registry.trials import LockView, TrialStatus


class SiteActivated(Act):
    """A site may run a trial from now on, under the lock in force named here and those that follow it."""

    predicate_type: ClassVar[str] = PREDICATE_PREFIX + "site-activated/v1"

    trial: Identifier
    site: Identifier
    lock: Digest


def check_activation(act: SiteActivated, registry: Registry) -> None:
    """Refuse to activate a site that the lock in force does not name.

    Raises
    ------
    LockNotSignedError, LockMismatchError
        No lock holds, or another one does than the act names.
    SiteNotEnrolledError
        The lock does not name the site.
    DuplicateRecordError
        It is active already.
    """
    known = registry.trial(act.trial)
    view = known.effective
    if view is None:
        raise LockNotSignedError(
            f"trial {act.trial} has no lock with all its signatures",
            subject=act.trial,
            hint="assay trial sign",
        )
    if act.lock != view.digest:
        raise LockMismatchError(
            f"lock {view.lock.sequence} of trial {act.trial} is in force, another is named", subject=act.trial
        )
    if act.site not in view.lock.sites:
        raise SiteNotEnrolledError(f"trial {act.trial} does not name site {act.site}", subject=act.site)
    if act.site in known.activated:
        raise DuplicateRecordError(f"{act.site} is active in trial {act.trial} already", subject=act.site)


def check_active(known: TrialStatus, view: LockView | None, site: str) -> None:
    """Refuse a run at a site that was not activated. Raises `SiteNotActivatedError`."""
    if view is not None and view.lock.conduct and site not in known.activated:
        raise SiteNotActivatedError(
            f"{site} is not activated for trial {known.trial.trial}",
            subject=site,
            hint=f"the sponsor: assay trial activate {known.trial.trial} --site {site}, then a new bundle",
        )
