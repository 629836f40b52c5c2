"""Descriptors of other platforms: what they say is drafted as a manifest, and what they cannot say is asked for."""
