"""The command line ``prolly``: one file a command, and what the commands share.

It uses only what ``prolly`` and its rooms export, and it decides nothing that a program
could not decide too: a command reads its words, calls the library, prints the answer.
"""
