"""Starts the playground: `python app.py`, then open the address that it prints."""

from playground.main import main

if __name__ == "__main__":
    main()
