"""Plugin images from files alone: no Dockerfile, no daemon, no registry; same files, same image."""
