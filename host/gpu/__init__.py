"""What a case needs of a GPU, what the machine has, who holds it, and how a container is given it."""
