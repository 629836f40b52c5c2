"""Statistics as protocols name them, one module per family; the formulas stand in ``host.statistics``."""
