"""Figures of a validation report, as SVG text."""
