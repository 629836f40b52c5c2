"""Metrics: figures that compare a predicted mask or number with the reference standard."""
