"""Perturbations: known changes of a case's images, declared in the protocol and made by the host."""
