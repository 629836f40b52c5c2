"""Statistics: what a sample of cases lets one say about the cases to come, with its uncertainty."""
