"""The errors Assay raises on purpose, grouped by who must act, and the exit code each group ends with.

Every error says what happened, to which thing (``subject``) and what to do next (``hint``). Its ``code``
is the stable name that audit records, ``--json`` answers and tests refer to.
"""

from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Exit statuses of the ``assay`` command. 1 and 2 stay with Python and Click."""

    OK = 0
    NOT_MET = 3
    NOT_TRUSTED = 4
    NOT_PERMITTED = 5
    BAD_INPUT = 6
    CONTRACT_VIOLATION = 7
    ENGINE_FAILED = 8
    BAD_STATE = 9
    CASE_REFUSED = 10
    CASE_FAILED = 11
    CRASH = 70
    INTERRUPTED = 130


class AssayError(Exception):
    """Root of every error Assay raises on purpose.

    Parameters
    ----------
    message : str
        What happened, in one line, naming the file and field where there is one.
    subject : str, optional
        The thing it happened to: an id, a path, a digest.
    hint : str, optional
        What to do next, where possible a command.
    """

    code: ClassVar[str] = "error"
    exit_code: ClassVar[ExitCode] = ExitCode.CRASH

    def __init__(self, message: str, *, subject: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.subject = subject
        self.hint = hint

    def __str__(self) -> str:
        return self.message


class InputError(AssayError):
    """The operator gave a file or a value that cannot be used."""

    code = "bad-input"
    exit_code = ExitCode.BAD_INPUT


class ContractError(AssayError):
    """A manifest or a plugin's output breaks the plugin contract; its author must act."""

    code = "contract-violation"
    exit_code = ExitCode.CONTRACT_VIOLATION


class TrustError(AssayError):
    """A signature, digest, proof or lock does not verify."""

    code = "not-trusted"
    exit_code = ExitCode.NOT_TRUSTED


class PolicyError(AssayError):
    """A role, an independence rule or the order of steps forbids the action."""

    code = "not-permitted"
    exit_code = ExitCode.NOT_PERMITTED


class EngineError(AssayError):
    """The container engine is absent or failed; the case itself is not to blame."""

    code = "engine-failed"
    exit_code = ExitCode.ENGINE_FAILED


class StateError(AssayError):
    """``ASSAY_HOME`` is missing, in use, or left in a state that must be looked at first."""

    code = "bad-state"
    exit_code = ExitCode.BAD_STATE
