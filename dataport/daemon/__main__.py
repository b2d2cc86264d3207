"""`python -m dataport.daemon --home DIR [--foreground]`: how front ends start the daemon."""

from dataport.daemon.main import main

if __name__ == "__main__":
    raise SystemExit(main())
