"""What is timed, one module per subject."""
