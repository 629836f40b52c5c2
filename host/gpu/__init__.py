"""What a case needs of a GPU, and later: what the machine has and who holds it."""
