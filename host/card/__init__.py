"""A plugin's card: its manifest in words, for people who have never seen TOML."""
