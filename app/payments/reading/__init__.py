"""Reads a stranger's sheet, as a program of its own: `python -m app.payments.reading`.

Only the standard library and openpyxl are imported here, so that the process is small, starts fast and has nothing of the
portal in it: no settings, no secrets, no database.
"""
