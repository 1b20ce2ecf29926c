"""How times are written in Chinese."""
