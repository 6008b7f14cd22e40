"""The console script, and `python -m lambdaimg`."""

import gc
import sys


def main() -> None:
    from lambdaimg.cli.main import run

    code = run(sys.argv[1:])
    gc.freeze()  # else the interpreter looks through all that was imported before it ends: 40 ms of each command
    sys.exit(code)


if __name__ == "__main__":
    main()
