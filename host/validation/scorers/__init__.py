"""How a case is scored, one module per kind of metric: what it answered, and what it counts as where it failed."""
