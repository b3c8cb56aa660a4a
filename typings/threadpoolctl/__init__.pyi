from contextlib import AbstractContextManager
from typing import Any

def threadpool_info() -> list[dict[str, Any]]: ...
def threadpool_limits(
    limits: int, user_api: str | None = None
) -> AbstractContextManager[object]: ...
