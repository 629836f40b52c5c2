"""The report as PDF: printed from its page, compared with the report, and signed in the way PDF readers show."""
