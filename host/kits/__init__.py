"""Validation kits: what a folder of cases, reference standards and a protocol declares, and its case files."""
