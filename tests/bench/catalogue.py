"""Every experiment there is. A new benchmark is one more module of `tests.bench.subjects` and one more line here."""

from tests.bench.subjects import batch, case, evaluation, inputs, log, metrics, startup

EXPERIMENTS = (
    startup.EXPERIMENT,
    *inputs.EXPERIMENTS,
    *metrics.EXPERIMENTS,
    evaluation.EXPERIMENT,
    case.EXPERIMENT,
    batch.EXPERIMENT,
    *log.EXPERIMENTS,
)
