"""The one spaCy pipeline: every text is cut and analysed here."""
