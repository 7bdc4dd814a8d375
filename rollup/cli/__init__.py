"""The command `rollup`: thin shells round the rooms below, for people (`rich`) and for machines (`--json`).

`app` is the frame: it finds a command's module only when the command is used, so that `--help` is quick, and turns
errors into one line and an exit code. One module per group of commands.
"""
