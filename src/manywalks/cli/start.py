"""The program `manywalks`: what ^C does is settled before anything that takes time is imported."""

from manywalks.runtime import interrupt


def main() -> None:
    """Run the command line."""
    interrupt.watch()
    from manywalks.cli.main import main as run

    run()
