"""The runtime inside a plugin's container: request.json in, hooks called, result.json out.

Loads the standard library and pluggy only, and runs on Python 3.8 and later.
"""
