"""An RDS instance of the emulator is a database with an owner in a real PostgreSQL, where there is one."""

import json
import os
import subprocess
from urllib.parse import urlparse

from moto.rds import models as rds

import functions

_here = os.path.dirname(os.path.abspath(__file__))
_url = os.environ.get("EMULATOR_POSTGRES_URL", "")


def make(name, owner, password):
    """Makes the role and the database, unless an earlier deployment has; the password is always set."""
    if not _url:
        return
    subprocess.run(
        [functions.environment["node"], os.path.join(_here, "create-database.mjs")],
        input=json.dumps({"url": _url, "name": name, "owner": owner, "password": password}).encode(),
        check=True,
    )


def install():
    """Gives every instance the real server's address, as RDS gives it one."""
    if not _url:
        return
    place = urlparse(_url)
    rds.DBInstance.address = property(lambda self: place.hostname)
    rds.DBInstance.port = property(lambda self: place.port, lambda self, value: None)
