"""What every test of ours needs: pytest's own harness for plugins."""

pytest_plugins = ["pytester"]
