"""Superset for one machine and one database, which is replaced while it is read."""

import copy
import os

from superset.config import TALISMAN_CONFIG as DEFAULTS

# serve.py draws it anew at every start.
SECRET_KEY = os.environ["CUSTOMER_VALUE_SUPERSET_SECRET_KEY"]
SQLALCHEMY_DATABASE_URI = "sqlite:///" + os.environ["CUSTOMER_VALUE_SUPERSET_METADATA"]
APP_NAME = "customer_value"

# A kept answer would be of an earlier refresh: DuckDB is asked each time.
CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}
DATA_CACHE_CONFIG = {"CACHE_TYPE": "NullCache"}

# Logins are counted in memory, since there is nothing else on this machine to count them in.
RATELIMIT_STORAGE_URI = "memory://"

# The browser loads nothing from anywhere else, the usage counter of Superset's makers included.
TALISMAN_CONFIG = copy.deepcopy(DEFAULTS)
TALISMAN_CONFIG["content_security_policy"]["img-src"] = ["'self'", "blob:", "data:"]
TALISMAN_CONFIG["content_security_policy"]["connect-src"] = ["'self'"]

# All charts are drawn at once, below the fold too, so that a picture of the page holds them.
FEATURE_FLAGS = {"DASHBOARD_VIRTUALIZATION": False}
