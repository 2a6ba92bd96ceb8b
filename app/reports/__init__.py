"""What is read across rooms; nothing is written here."""
