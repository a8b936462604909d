"""What a database must be before Kvitok keeps money in it."""

from typing import Final

from sql.connect import Connection

SERVER_VERSION_MIN: Final = 150000

FACTS: Final = """
select current_setting('server_version_num')::int, current_setting('server_version'),
       current_setting('server_encoding'), datname, datctype, datlocprovider::text
from pg_database where datname = current_database()
"""


class DatabaseUnfit(Exception):  # noqa: N818 - says what is, like every error of ours
    """The database cannot serve; the message says why and what to do."""


def check_database(connection: Connection) -> None:
    """Return when the database can serve.

    Raises:
        DatabaseUnfit: too old a server, an encoding other than UTF-8, or LC_CTYPE = C, with which
            lower() and trigrams silently leave Cyrillic alone.
    """
    row = connection.execute(FACTS).fetchone()
    assert row is not None
    number, version, encoding, name, ctype, provider = row
    if number < SERVER_VERSION_MIN:
        raise DatabaseUnfit(f"PostgreSQL {version} is too old: 15 or newer is needed")
    if encoding != "UTF8":
        raise DatabaseUnfit(
            f'database "{name}" is encoded in {encoding}: make one with '
            "create database … encoding 'UTF8' locale 'C.UTF-8' template template0"
        )
    if provider == "c" and ctype in {"C", "POSIX"}:
        raise DatabaseUnfit(
            f'database "{name}" has LC_CTYPE = {ctype}, so searches would not find Cyrillic text '
            "in another case: make one with create database … locale 'C.UTF-8' template template0"
        )
