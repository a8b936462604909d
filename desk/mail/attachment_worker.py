"""Opens one file of a stranger's mail: a program of its own, with little memory and little time.

It reads the file on standard input and writes one line of JSON: `kind`, `codes`, `text`, `reason`.
It knows no secrets and no settings; whatever the file does to it is its parent's to see.
"""

import json
import resource
import sys
import time
from typing import Any, Final

MEMORY_BYTES: Final = 1 << 30
CPU_S: Final = 6
CONTENT_BYTES_MAX: Final = 26_214_400
PICTURE_S: Final = 0.8
"""Of processor time, from the program's start, until no further attempt at a picture begins."""
PDF_S: Final = 3.0


def limit() -> None:
    """Give up memory, time, files and core dumps that the work does not need."""
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NOFILE, 64),
    ):
        _, hard = resource.getrlimit(what)
        bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (bound, bound))


def opened(content: bytes) -> dict[str, Any]:
    """Return what is in the file, or the reason why nothing is."""
    if len(content) > CONTENT_BYTES_MAX:
        return _nothing("file", "too_large")
    # Loaded here: a PDF's decoder costs a picture 150 ms, and the other way round.
    from desk.mail import pictures  # noqa: PLC0415 - as said above

    kind = "picture" if pictures.is_picture(content) else "file"
    try:
        if kind == "picture":
            codes = pictures.picture_codes(content, lambda: PICTURE_S - time.process_time())
            return {"kind": kind, "codes": codes, "text": "", "reason": None}
        if b"%PDF-" in content[:1024]:
            kind = "pdf"
            from desk.mail.pdf import pdf_contents  # noqa: PLC0415 - as said above

            codes, text = pdf_contents(content, lambda: PDF_S - time.process_time())
            return {"kind": kind, "codes": codes, "text": text, "reason": None}
    except pictures.NotReadable as reason:
        return _nothing(kind, str(reason))
    except MemoryError:
        return _nothing(kind, "too_much_memory")
    return _nothing(kind, "unknown_type")


def _nothing(kind: str, reason: str) -> dict[str, Any]:
    return {"kind": kind, "codes": [], "text": "", "reason": reason}


def main() -> None:
    """Open the file on standard input and tell what is in it."""
    limit()
    answer = opened(sys.stdin.buffer.read(CONTENT_BYTES_MAX + 1))
    sys.stdout.write(json.dumps(answer) + "\n")


if __name__ == "__main__":
    main()
