"""Which of some literals a content holds, in one pass for all of them."""

from typing import Final

from ahocorasick_rs import BytesAhoCorasick, MatchKind

from lambdaimg.images.inspection import secret_search

CLIENTS: Final = frozenset({b"AWS_LAMBDA_RUNTIME_API", b"lambda/runtime/api/client/AWSLambda"})
"""What every Runtime Interface Client holds: the variable that it reads, or (in a jar) the name of its main class."""
EMULATORS: Final = frozenset({b"rapidcore.EmulatorAPI"})
"""A type's name in AWS's Runtime Interface Emulator, which a stripped Go program keeps."""

_ALL: Final = (*CLIENTS, *EMULATORS, *secret_search.HINTS)
LONGEST: Final = max(map(len, _ALL))
_SEARCHED: Final = BytesAhoCorasick(_ALL, matchkind=MatchKind.LeftmostFirst)  # the kind that it searches the fastest


def literals_in(content: bytes) -> set[bytes]:
    return {_ALL[index] for index, _, _ in _SEARCHED.find_matches_as_indexes(content)}
