"""Cases: images, their sidecars, their geometry, and whether a plugin's evidence covers them."""
