"""Container engines: one interface, one module per engine. Import an engine's module where it is used."""
