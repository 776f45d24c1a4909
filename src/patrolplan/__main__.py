"""`python -m patrolplan`: the command line, if its script is not on the path."""

from patrolplan.cli import main

if __name__ == "__main__":
    main()
