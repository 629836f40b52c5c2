"""``assay plugin check``: a plugin's folder against every rule of the contract. Reads, and runs nothing."""
