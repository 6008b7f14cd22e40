"""Where the data files `templates/` and `base_images/` are, however lambdaimg was installed."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def folder(name: str) -> Path:
    """The data folder `name`: inside the package (wheel), else beside it (checkout, editable install).

    Raises FileNotFoundError when neither is there, which only a broken installation can cause.
    """
    for candidate in (_PACKAGE / "data" / name, _PACKAGE.parent / name):
        if candidate.is_dir():
            return candidate
    raise FileNotFoundError(f"lambdaimg's data folder {name!r} is missing: reinstall lambdaimg")


def templates() -> Path:
    return folder("templates")


def base_images() -> Path:
    return folder("base_images")
