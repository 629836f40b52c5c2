"""The tests that a manifest carries: run, repeated, judged, and held against the claim on repeated runs."""
