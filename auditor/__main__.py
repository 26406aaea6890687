"""`python -m auditor` is `plaudit`."""

from auditor.cli.main import main

if __name__ == "__main__":
    main()
