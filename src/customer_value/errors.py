"""Errors that are told in a sentence."""

from __future__ import annotations


class SentenceError(Exception):
    """An error whose message says what is wrong and what to do, for people.

    dbt-duckdb prints the traceback of whatever a Python model raises. These errors have none to
    show: the way through the code would only hide the sentence.
    """

    # What a command ends with that stops for it.
    exit_code = 2

    __traceback__ = property(lambda _: None, lambda _, __: None)
