"""Everybody the company knows, their departments, and the accounts they sign in with."""
