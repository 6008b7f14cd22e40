"""The console script, and `python -m lambdaimg`."""

import sys


def main() -> None:
    from lambdaimg.cli.main import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
