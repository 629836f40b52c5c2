"""A validation: the protocol, the cases run and scored by it, and the verdict."""
