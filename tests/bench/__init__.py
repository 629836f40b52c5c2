"""What Assay costs beside what it is compared with: ``make bench`` measures it, CI does not.

One module of `tests.bench.subjects` per subject declares an `Experiment`; `tests.bench.catalogue` lists them.
"""
