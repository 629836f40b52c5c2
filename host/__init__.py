"""The hands of Assay: engines, images, cases, metrics, reports and the command line."""

__version__ = "0.1.0"
