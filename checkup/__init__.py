"""The face: command line, web page, reports."""
