"""Trust: signatures, the log, the catalogue, trial locks and bundles. Knows neither containers nor images."""
