"""Starts HRN Studio from a checkout."""

from hrn_studio.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
