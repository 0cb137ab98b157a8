"""`python -m inkgrad` is the `inkgrad` command."""

from inkgrad.cli.main import main

if __name__ == "__main__":
    main()
