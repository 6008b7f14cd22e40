"""The commands, one file each, imported only when that command runs. Errors become messages and exit codes here."""
