"""What can be wrong with an embedded service, told to the person who starts it."""


class EmbeddedError(Exception):
    """It cannot start; the text says what is wrong, where, and what to do."""


class FolderTaken(EmbeddedError):  # noqa: N818 - says what is, like every error of ours
    """Another process has the folder."""
