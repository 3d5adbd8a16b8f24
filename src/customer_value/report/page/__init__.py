"""The report for people: one HTML file, with pictures, that needs neither network nor script.

``writing.write`` makes it. Each file in ``sections`` is one section: it asks the tables, says in
words what they say, and draws it. A section whose tables are not there, or are empty, is left out;
a new one is a file and a line in ``sections.SECTIONS``.
"""
