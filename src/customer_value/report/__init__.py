"""What a refresh says of the shop, in three forms: text, charts as files, and a page for people.

``reading`` opens the database that a build wrote, and ``figures`` asks it: the engine adds up, and
only sums come here. ``plain_text``, ``charts`` and ``page`` show the answers in ``words`` that
people read. Charts and page need Matplotlib, which is optional; nothing else here loads it.
"""
