"""A new plugin that works: what ``assay plugin new`` writes."""
