"""The validation report: its model, its figures and its HTML page."""
