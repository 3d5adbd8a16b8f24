"""Pictures of the decision tables, a file for each subject; sections group them.

Each function takes the tables and returns pictures, none where a table is not there or is empty.
"""
