"""`python -m rollup` is the command `rollup`."""

from rollup.cli.app import main

if __name__ == "__main__":
    main()
