"""What ``assay kit check`` looks at: every fault of a kit at once, with file, line, field and fix."""
