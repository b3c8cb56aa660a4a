"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import IO


def replace_file(path: str, write: Callable[[IO[bytes]], object]) -> None:
    """Makes the file ``path`` anew, in one step: at every moment it is the old one or the new.

    ``write`` is given a temporary file in the same folder, which then takes the name ``path``.
    """
    folder = os.path.dirname(path)
    temporary = os.path.join(folder, f".funcnet-{os.urandom(8).hex()}.tmp")
    try:
        with open(temporary, "xb") as file:
            write(file)
            file.flush()
            # Else a machine that loses power may keep the new name and not yet the bytes.
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
