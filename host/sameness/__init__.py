"""Sameness: the same cases once more, in another way that must make no difference, compared with the runs judged."""
