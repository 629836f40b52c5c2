"""Pinned files, of kits and of weights: found by digest where they lie, or fetched. Nothing fetched is executed."""
