"""The steps, one file each: ``revision`` is the schema version that it leads to, ``upgrade`` adds what is new."""
