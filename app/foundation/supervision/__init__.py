"""Runs programs in the foreground, starts again what dies, and leaves nothing behind."""
