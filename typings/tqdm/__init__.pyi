"""The part of tqdm that the examples use."""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

class tqdm(Generic[T]):
    def __init__(
        self,
        iterable: Iterable[T],
        desc: str | None = ...,
        *,
        total: int | None = ...,
        unit: str = ...,
        leave: bool = ...,
        disable: bool | None = ...,
    ) -> None: ...
    def __iter__(self) -> Iterator[T]: ...
    @classmethod
    def write(cls, s: str) -> None: ...
