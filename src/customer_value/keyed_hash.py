"""The keyed hash that stands for a customer's id where ids are not to be seen.

It is HMAC-SHA-256 of the id's UTF-8 bytes, the key being the UTF-8 bytes of an environment
variable, cut to its first 128 bits and written as 32 hexadecimal digits. The first 128 bits of
HMAC-SHA-256 are what RFC 4868 allows as a truncation; among a billion customers, the chance that
any two share them is one in 10^21. The macro pseudonym() computes the same in the engine.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

KEY_VARIABLE = "CUSTOMER_VALUE_PSEUDONYM_KEY"
SHORTEST_KEY = 16
DIGITS = 32
BLOCK_BYTES = 64
# Variables of a session of the engine, which the macro pseudonym() reads.
INNER = "customer_value_pseudonym_inner"
OUTER = "customer_value_pseudonym_outer"
# "ready", "unset" or "short"; null where this plugin is not in the profile. So macros need not
# ask dbt for the environment variable, whose value dbt would write into its cache of the project.
STATE = "customer_value_pseudonym_state"


@dataclass(frozen=True)
class PseudonymKey:
    """A key that is long enough; never shown by repr(), so that no log or traceback has it."""

    secret: bytes = field(repr=False)

    @property
    def inner(self) -> bytes:
        """The block that HMAC hashes before the message."""
        return bytes(byte ^ 0x36 for byte in self._block)

    @property
    def outer(self) -> bytes:
        """The block that HMAC hashes before the inner hash."""
        return bytes(byte ^ 0x5C for byte in self._block)

    def pseudonym(self, customer_id: str) -> str:
        """The 32 digits that stand for an id; a blank one stays as it is.

        >>> PseudonymKey(b"sixteen letters.").pseudonym("ann")
        '45f673081e7cc8481965db6e8e7c713f'
        """
        if not customer_id.strip(" "):
            return customer_id
        message = customer_id.encode("utf-8")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()[:DIGITS]

    @property
    def _block(self) -> bytes:
        is_long = len(self.secret) > BLOCK_BYTES
        secret = hashlib.sha256(self.secret).digest() if is_long else self.secret
        return secret.ljust(BLOCK_BYTES, b"\0")


def key_in_environment() -> PseudonymKey | None:
    """The key of this process; None where none is set, or one that is too short to be a key."""
    return None if key_problem() else PseudonymKey(_secret())


def key_problem() -> str | None:
    """Why there is no key: "unset", "short", or None where there is one."""
    secret = _secret().strip()
    if not secret:
        return "unset"
    # Characters, not bytes: what a person counts.
    return "short" if len(secret.decode("utf-8", errors="replace")) < SHORTEST_KEY else None


def set_variables(connection: DuckDBPyConnection) -> None:
    """Put the key of the environment, if it has one, into a session."""
    key = key_in_environment()
    connection.execute(f"set variable {STATE} = '{key_problem() or 'ready'}'")
    if key is not None:
        # As parameters: the text of a statement is what engines log.
        connection.execute(f"set variable {INNER} = ?", [key.inner])
        connection.execute(f"set variable {OUTER} = ?", [key.outer])


def looks_like_pseudonym(text: str) -> bool:
    """Whether a text has the form of a pseudonym."""
    return re.fullmatch(f"[0-9a-f]{{{DIGITS}}}", text) is not None


def _secret() -> bytes:
    return os.fsencode(os.environ.get(KEY_VARIABLE, ""))
