"""Errors of the host: engines, images, cases and outputs."""

from plugin_spec.errors import (
    AssayError,
    ContractError,
    EngineError,
    ExitCode,
    InputError,
    PolicyError,
    StateError,
    TrustError,
)


class NoEngineError(EngineError):
    """No container engine answers."""

    code = "no-engine"


class KitError(InputError):
    """A validation kit's files do not fit its declarations."""

    code = "kit-malformed"


class KitDigestError(TrustError):
    """A kit file does not have the digest the kit declares."""

    code = "kit-digest"


class KitLeakError(PolicyError):
    """A plugin declares that it learnt from what the kit holds."""

    code = "kit-leak"


class EngineDiedError(EngineError):
    """The engine stopped answering, or lost a container, while it was at work."""

    code = "engine-died"


class EngineRefusedError(EngineError):
    """The engine answers and refuses the request, or cannot enforce what Assay needs enforced."""

    code = "engine-refused"


class ImageMissingError(EngineError):
    """The engine does not hold the image; nothing is ever pulled."""

    code = "image-missing"


class ImageLoadError(EngineError):
    """An image archive cannot be loaded, or the engine made another image of it."""

    code = "image-load-failed"


class ImageTamperedError(TrustError):
    """What an engine keeps of an image differs from the image's own layers."""

    code = "image-tampered"


class GpuUnavailableError(EngineError):
    """The engine cannot pass the requested devices on."""

    code = "gpu-unavailable"


class GpuUnsuitableError(EngineError):
    """The machine has too few GPUs that fit what a manifest needs, and it declares no other way."""

    code = "gpu-unsuitable"


class GpuLeaseError(EngineError):
    """The table of GPU leases of this machine cannot be used."""

    code = "gpu-lease"


class CdiSpecError(InputError):
    """A spec file of the Container Device Interface cannot be used."""

    code = "cdi-spec"


class GpuRequestError(InputError):
    """A GPU request contradicts itself."""

    code = "bad-gpu-request"


class LimitError(InputError):
    """A container limit that would mean "unlimited"."""

    code = "bad-limit"


class OutputFolderError(StateError):
    """The folder prepared for a container's outputs is not empty, not private or not there."""

    code = "bad-output-folder"


class RunCancelledError(AssayError):
    """The operator stopped the run; the container is gone."""

    code = "run-cancelled"
    exit_code = ExitCode.INTERRUPTED


class PluginFolderError(InputError):
    """What was named as a plugin's folder is none."""

    code = "plugin-folder"


class PortError(InputError):
    """An input was given that is not declared, or a declared one is missing."""

    code = "port-unknown"


class ParameterError(InputError):
    """A parameter value the manifest does not allow."""

    code = "parameter-refused"


class InputFileError(InputError):
    """An input file is missing or cannot be read."""

    code = "input-file"


class WeightsError(TrustError):
    """A weights file is missing or has another digest than the release names."""

    code = "weights-mismatch"


_FOR_THE_AUTHOR = (
    "no number of this case may be used; its record and the container's log are for the plugin's author"
)


class CaseFailureError(ContractError):
    """A case failed inside or because of its container.

    Parameters
    ----------
    message : str
    reason : str
        The reason code of the case's record: ``timeout``, ``out-of-memory``, ``plugin-error``, ...
    hint : str, optional
        Default: the plugin's author must act.
    """

    code = "case-failed"
    exit_code = ExitCode.CASE_FAILED

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, subject=reason, hint=hint or _FOR_THE_AUTHOR)
        self.reason = reason


class LogFileError(StateError):
    """The file for a container's log cannot be created or written."""

    code = "bad-log-file"


class BaseLockError(InputError):
    """A base lock cannot be read, or names something that is not a package."""

    code = "base-lock-malformed"


class DebianLockError(InputError):
    """A plugin's lock of Debian packages is missing, malformed, or answers to something else."""

    code = "debian-lock"


class PackageMissingError(InputError):
    """The machine's package archive does not offer a locked package (any more)."""

    code = "package-missing"


class PackageFormatError(InputError):
    """A package holds something a base image cannot take over."""

    code = "package-format"


class RequirementsError(InputError):
    """A requirements file is not a list of pinned, hashed wheels."""

    code = "requirements-malformed"


class WheelError(InputError):
    """A wheel cannot be found, installed, or read as asked."""

    code = "wheel-unusable"


class WheelDigestError(TrustError):
    """A wheel does not have a hash the requirements list."""

    code = "wheel-digest"


class LayerContentError(InputError):
    """A file or name cannot become part of an image layer."""

    code = "layer-content"


class PluginSourceError(ContractError):
    """A plugin's adapter, entry module or environment does not fit the image contract."""

    code = "plugin-source"


class ImageBuildError(InputError):
    """A tool the image build needs is missing or failed."""

    code = "image-build"


class LayerDigestError(TrustError):
    """A cached layer no longer has the digest it is stored under."""

    code = "layer-digest"


class ArchiveError(TrustError):
    """An image archive is not what its config and digests say."""

    code = "archive-mismatch"


class ImageTooLargeError(ContractError):
    """An image comes to more bytes than this host takes."""

    code = "image-too-large"


class ImageDigestError(TrustError):
    """An image is not the one that the manifest declares."""

    code = "image-digest"


class DockerBuildError(ContractError):
    """A Dockerfile does not build."""

    code = "docker-build"


class BaseImageMissingError(InputError):
    """The daemon does not hold an image that a Dockerfile starts from."""

    code = "base-image-missing"


class ImageRuleError(ContractError):
    """An image breaks a numbered rule, found when it was built."""

    code = "image-rule"


class UnknownMetricError(InputError):
    """A protocol names a metric that nothing registers."""

    code = "metric-unknown"


class MetricParameterError(InputError):
    """A protocol gives a metric a parameter that it does not declare, or a value that it does not allow."""

    code = "metric-parameter"


class KitFitError(InputError):
    """A kit asks for outputs that the plugin does not have."""

    code = "kit-does-not-fit"


class ValidationRunsError(TrustError):
    """The log's runs of a validation are not those of a validation: one has no end, or a case was answered twice."""

    code = "validation-runs"


class ResumeError(PolicyError):
    """A validation cannot be gone on with: it has its report, or something that decides its results changed."""

    code = "cannot-resume"


class EarlierReportError(InputError):
    """There is no report to compare a release with, or it is of other cases, or of another plugin."""

    code = "no-earlier-report"


class HomeMissingError(StateError):
    """No registry was set up in ASSAY_HOME."""

    code = "no-home"


class HomeBusyError(StateError):
    """Another command runs cases in this home."""

    code = "home-busy"


class OutputMissingError(ContractError):
    """A declared output, or result.json itself, is not there."""

    code = "output-missing"


class OutputUndeclaredError(ContractError):
    """The output folder holds something the manifest and result.json do not name, or more than is allowed."""

    code = "output-undeclared"


class OutputNotAFileError(ContractError):
    """An output is a link, a device or another thing than a plain file with one name."""

    code = "output-not-a-file"


class OutputGridError(ContractError):
    """An image lies on another grid than the input it belongs to."""

    code = "output-grid"


class OutputLabelsError(ContractError):
    """A label map holds unknown values, or lacks a label that must occur."""

    code = "output-labels"


class OutputRangeError(ContractError):
    """A number is not finite, or outside its declared range."""

    code = "output-range"


class OutputMalformedError(ContractError):
    """An output cannot be read as what its port declares."""

    code = "output-malformed"


class OutputContradictionError(ContractError):
    """An output contradicts itself: a call and its probabilities, a finding and its frame."""

    code = "output-contradiction"


class OutputActiveContentError(ContractError):
    """A report for people holds something that would act, or fetch, when it is opened."""

    code = "output-active-content"


class ReportMalformedError(InputError):
    """Bytes are not a validation report of the version this host knows."""

    code = "report-malformed"


class ReportPdfError(EngineError):
    """A report's page cannot be printed as PDF on this machine."""

    code = "report-pdf"


class FigureError(InputError):
    """Images for a figure do not fit together."""

    code = "figure-input"


class PassphraseMissingError(InputError):
    """A key has to be opened, and nobody gave its pass phrase."""

    code = "pass-phrase-needed"


class EnrolmentError(InputError):
    """What was given about a person or site to be enrolled cannot be used."""

    code = "enrolment"


class BuildMissingError(StateError):
    """A plugin was not built here, or was changed after its build."""

    code = "not-built"


class DescriptorError(InputError):
    """A descriptor of another platform cannot be read, or is not of the kind that was named."""

    code = "bad-descriptor"


class SourceError(InputError):
    """A pinned source is not understood or not there."""

    code = "source-unknown"


class SourceMissingError(SourceError):
    """A pinned file is neither on this machine nor to be had from where it comes."""

    code = "source-missing"


class OptionError(InputError):
    """A command-line option has no usable value."""

    code = "bad-option"


class EmbeddedTestError(ContractError):
    """A test that the manifest carries does not hold."""

    code = "embedded-test"


class DeterminismError(ContractError):
    """Repeated runs differ by more than the manifest claims."""

    code = "determinism-false"


class CaseRefusedError(AssayError):
    """A case was refused: a result with a reason, and an exit code of its own."""

    code = "case-refused"
    exit_code = ExitCode.CASE_REFUSED


class ReleaseUnknownError(InputError):
    """No release, or more than one, goes by this name."""

    code = "release-unknown"


class ReportUnknownError(InputError):
    """No report of such a validation is logged."""

    code = "report-unknown"


class ReportMismatchError(TrustError):
    """A report's parts do not agree with each other or with what was registered."""

    code = "report-mismatch"


class ReportSignatureError(TrustError):
    """A PDF signature on a report does not verify, or is not the one that was logged."""

    code = "report-signature"


class ImageSwappedError(TrustError):
    """The engine holds another image under the locked name."""

    code = "image-swapped"


class LogFaultError(TrustError):
    """The audit found entries that are not what was logged."""

    code = "log-faults"


class WorkFolderError(StateError):
    """A folder of this installation cannot be written or cleared."""

    code = "work-folder"


class TargetError(InputError):
    """A file or folder that a command is to write cannot be written."""

    code = "bad-target"


class CaseTableError(InputError):
    """A table of cases cannot be used; the line and the column are named."""

    code = "case-table"


class MachineTooSmallError(EngineError):
    """A container can never fit on this machine."""

    code = "machine-too-small"


class DesignError(InputError):
    """Assumptions of a planned study contradict each other."""

    code = "bad-design"


class SelfTestError(StateError):
    """The statistics engine does not give the published numbers on this installation."""

    code = "self-test-failed"


class DomainWidenedError(InputError):
    """A lock's rule is wider than the manifest's acceptance domain, or looks at an input that is not declared."""

    code = "domain-widened"
