"""Tasks: who has to do what about whom, the talk about it, and how it ended."""
