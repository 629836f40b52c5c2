"""Warm containers: one set-up, many cases, one at a time, over a unix socket of the host."""
