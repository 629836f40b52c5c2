"""Errors of the trust layer: what did not verify, or what the rules forbid."""

from plugin_spec.errors import InputError, PolicyError, StateError, TrustError


class SignatureError(TrustError):
    """An envelope carries no acceptable signature."""

    code = "bad-signature"


class StatementError(TrustError):
    """Signed bytes are not a statement this version understands."""

    code = "malformed-statement"


class MalformedJsonError(TrustError):
    """Bytes from outside are not strict JSON, or exceed a limit."""

    code = "malformed-json"


class UnsignableValueError(TrustError):
    """A value has no canonical JSON form, so it cannot be signed."""

    code = "unsignable-value"


class MalformedKeyError(TrustError):
    """A key, or the bytes offered as one, is not usable."""

    code = "malformed-key"


class UnknownKeyError(TrustError):
    """A key file or a key id that nobody holds."""

    code = "unknown-key"


class WrongPassphraseError(TrustError):
    """The passphrase does not open the private key."""

    code = "wrong-passphrase"


class UnsafeKeyFileError(TrustError):
    """A private key file is readable by others, unprotected, or would be overwritten."""

    code = "unsafe-key-file"


class MalformedEnvelopeError(TrustError):
    """Bytes are not a DSSE envelope."""

    code = "malformed-envelope"


class PayloadTypeError(TrustError):
    """An envelope carries another kind of payload than the reader expects."""

    code = "wrong-payload-type"


class MerkleError(TrustError):
    """A proof was asked for that the tree cannot give: an index or a size out of range."""

    code = "proof-out-of-range"


class InclusionProofError(TrustError):
    """A leaf is not shown to be in the tree."""

    code = "bad-inclusion-proof"


class ConsistencyProofError(TrustError):
    """A tree is not shown to be a continuation of an earlier one."""

    code = "bad-consistency-proof"


class MalformedNoteError(TrustError):
    """Bytes are not a C2SP signed note."""

    code = "malformed-note"


class MalformedCheckpointError(TrustError):
    """A note's text is not a C2SP checkpoint."""

    code = "malformed-checkpoint"


class UnknownOriginError(TrustError):
    """A checkpoint comes from another log than the one expected."""

    code = "unknown-origin"


class UnsignedCheckpointError(TrustError):
    """A checkpoint carries no valid signature of its log."""

    code = "unsigned-checkpoint"


class CosignatureError(TrustError):
    """A witness's line on a checkpoint does not verify."""

    code = "bad-cosignature"


class TrustRootError(TrustError):
    """A trust root breaks its own invariants."""

    code = "malformed-root"


class RootVersionError(TrustError):
    """A chain of trust roots skips a version, or does not continue the one before."""

    code = "root-version-skip"


class RootThresholdError(TrustError):
    """Too few persons of the root role signed a trust root."""

    code = "root-threshold"


class RootPinError(TrustError):
    """A chain of trust roots does not contain the pinned one."""

    code = "root-pin-mismatch"


class RoleError(PolicyError):
    """The person does not hold a role that allows the action."""

    code = "wrong-role"


class IndependenceError(PolicyError):
    """The person took part in what they would now judge."""

    code = "self-approval"


class SignerThresholdError(PolicyError):
    """Too few distinct persons of the needed roles signed."""

    code = "signer-threshold"


class RegistryStateError(StateError):
    """A registry home is missing, of another kind or version, or would be overwritten."""

    code = "bad-home"


class DatabaseLockedError(StateError):
    """Another process kept the database busy for too long."""

    code = "database-locked"


class DatabaseMalformedError(StateError):
    """The database is not a registry's, is damaged, or refused a write that its rules forbid."""

    code = "database-malformed"


class AppendOnlyError(StateError):
    """A logged row would be changed, deleted or replaced."""

    code = "append-only"


class StorageFullError(StateError):
    """There is no room to write a record, so the action must not happen."""

    code = "storage-full"


class ClockError(StateError):
    """The clock went back, or an act carries a time that is not now."""

    code = "bad-clock"


class NoTrustRootError(StateError):
    """A site has not imported a trial bundle yet, so it trusts nobody."""

    code = "no-trust-root"


class MissingBlobError(StateError):
    """A file that a record names is not in the blob store."""

    code = "missing-blob"


class BlobMismatchError(TrustError):
    """A stored or imported file does not have the bytes its name promises."""

    code = "blob-mismatch"


class UnknownRecordError(InputError):
    """No record, trial, run or value has this name."""

    code = "unknown-record"


class DuplicateRecordError(PolicyError):
    """A version, a trial or a record that was logged before; nothing is written twice."""

    code = "already-logged"


class TamperedRecordError(TrustError):
    """A stored entry is not what its leaf, its digest or its index says."""

    code = "record-tampered"


class LogTruncatedError(TrustError):
    """The log is shorter than, or differs from, what one of its own checkpoints committed to."""

    code = "log-truncated"


class WrongActorError(TrustError):
    """The signature is not by a key of the person that the record names as its actor."""

    code = "wrong-actor"


class ActionDeniedError(PolicyError):
    """No rule allows this kind of record to be written this way."""

    code = "action-denied"


class WrongStateError(PolicyError):
    """The release is not where this step starts from."""

    code = "wrong-state"


class NotEvaluatedError(PolicyError):
    """The report does not count: unsigned, of another release, or not pre-registered in time."""

    code = "not-evaluated"


class NotPreregisteredError(PolicyError):
    """A protocol was not under an independently cosigned checkpoint before the validation began."""

    code = "not-preregistered"


class OrderNotShownError(TrustError):
    """It is not shown that a plan was there before what was judged by it."""

    code = "order-not-shown"


class NotApprovedError(PolicyError):
    """A lock names a release that is not approved."""

    code = "not-approved"


class ScopeError(PolicyError):
    """The evidence or the approval does not reach as far as the intended use."""

    code = "scope-exceeded"


class LockForkError(TrustError):
    """A second lock claims the same place in a trial's chain."""

    code = "lock-fork"


class LockChainError(TrustError):
    """A lock skips a number or does not name the lock before it."""

    code = "lock-chain"


class LockMismatchError(TrustError):
    """What would run is not what the lock says."""

    code = "lock-mismatch"


class ImageMismatchError(TrustError):
    """The engine holds another image than the locked one."""

    code = "image-mismatch"


class LockNotSignedError(TrustError):
    """No lock of the trial carries all its signatures."""

    code = "lock-not-signed"


class SiteNotEnrolledError(TrustError):
    """The site is not named by the lock, or is not enrolled in the trust root."""

    code = "site-not-enrolled"


class EngineNotAllowedError(TrustError):
    """The lock does not list this engine."""

    code = "engine-not-allowed"


class WarmNotLockedError(TrustError):
    """A run in a warm container, where the lock permits fresh ones only."""

    code = "warm-not-locked"


class SignatureNameError(TrustError):
    """A signature's printed name is not the signer's enrolled name."""

    code = "wrong-printed-name"


class ChainGapError(TrustError):
    """A site's run records are not one unbroken chain."""

    code = "chain-gap"


class CheckpointMismatchError(TrustError):
    """A checkpoint is not one of this log's, or a log does not continue the one seen before."""

    code = "checkpoint-mismatch"


class MalformedBundleError(TrustError):
    """A bundle is not a readable archive of the version this host knows, or exceeds a limit."""

    code = "malformed-bundle"


class UnsafeBundleNameError(TrustError):
    """A bundle holds a name that would leave its folder, a link, or anything but a plain file."""

    code = "unsafe-bundle-name"


class BundleContentError(TrustError):
    """A bundle's files are not exactly those that it lists, with the bytes listed."""

    code = "bundle-content"


class BundleEvidenceError(TrustError):
    """A bundle's records do not show that its lock came about by the rules."""

    code = "bundle-evidence"


class BrokenTraceError(TrustError):
    """A link between a number and its origin is missing or does not fit."""

    code = "broken-trace"


class ValueRefusedError(InputError):
    """A value that was to go into a record does not fit; nothing was written."""

    code = "bad-value"


class OutputPathError(InputError):
    """A file cannot be written under the name given."""

    code = "bad-output-path"


class SchemaVersionError(StateError):
    """The database has another schema than this host works on; nothing was changed."""

    code = "schema-version"


class GuardMissingError(TrustError):
    """What keeps the log append-only is gone, so somebody worked on the database directly."""

    code = "guard-missing"


class ContextExceededError(PolicyError):
    """A lock would use a release in a context that no approval covers."""

    code = "use-exceeds-approval"


class EvidenceTooWeakError(PolicyError):
    """A slot's verdict, evidence or scope is weaker than the lock accepts."""

    code = "evidence-too-weak"


class AmendmentReasonError(PolicyError):
    """A lock follows another without its class, impact and justification."""

    code = "amendment-without-reason"


class AmendmentThresholdError(PolicyError):
    """An amendment asks for fewer signatures than the lock that it amends."""

    code = "amendment-below-threshold"


class GpuNotAllowedError(PolicyError):
    """A run would compute on a GPU, or without one, that the lock does not list."""

    code = "gpu-not-allowed"


class OwnLogLockedError(PolicyError):
    """A trust root under which this registry's node could no longer sign its own log."""

    code = "own-log-locked"


class MalformedProposalError(TrustError):
    """Bytes are not a proposed trust root of the version this host knows."""

    code = "malformed-proposal"


class AnotherProposalError(TrustError):
    """The proposal is not the one that was named by its digest."""

    code = "another-proposal"


class SuspendedError(PolicyError):
    """The release is suspended: no new lock until it is reinstated."""

    code = "release-suspended"


class RecalledError(PolicyError):
    """The release was recalled: it is neither approved, locked nor run any more."""

    code = "release-recalled"


class RetiredError(PolicyError):
    """The release is at its end of life: no new lock."""

    code = "release-retired"


class ImpactChangedError(PolicyError):
    """What a recall would touch is no longer what its signer was shown."""

    code = "impact-changed"


class ContextMissingError(PolicyError):
    """An approval for endpoints does not say what is measured, in whom, on what, and as which endpoint."""

    code = "context-missing"


class SigningLockedError(PolicyError):
    """Too many wrong pass phrases were given in a person's name; their key stays closed for a while."""

    code = "signing-locked"


class PassphraseExpiredError(PolicyError):
    """A pass phrase is older than the trust root's policy allows."""

    code = "passphrase-expired"


class SiteNotActivatedError(PolicyError):
    """A site would run a trial before the sponsor activated it."""

    code = "site-not-activated"


class RerunError(PolicyError):
    """A run would make a second result without naming the first one and a reason, or names what is not the result."""

    code = "rerun-without-reason"


class MixedReleaseError(PolicyError):
    """A subject's results would be of two releases, without bridging evidence."""

    code = "mixed-release"


class BridgingError(PolicyError):
    """The report that an amendment names does not bridge its release and the one locked before."""

    code = "bridging-evidence"


class AmendmentImpactError(PolicyError):
    """The results that an amendment affects are no longer those that its signer was shown."""

    code = "amendment-impact-changed"


class DriftError(TrustError):
    """A site's records declare another effective configuration than the lock, or than most sites."""

    code = "site-drift"


class MalformedProofError(TrustError):
    """A file is not a C2SP tlog-proof that carries a leaf of ours."""

    code = "malformed-proof"


class SplitViewError(ConsistencyProofError):
    """A log signed two histories: both checkpoints are genuine, and neither continues the other."""

    code = "split-view"


class ReviewRangeError(PolicyError):
    """A review of the audit trail covers other records than it names, or none."""

    code = "review-range"


class IdentifyingValueError(PolicyError):
    """A value that would identify a person was to go into a signed record."""

    code = "identifying-value"
