"""A new plugin, and a new kit, that work: what ``assay plugin new`` and ``assay kit new`` write."""
