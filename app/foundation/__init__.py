"""What every room stands on. No business word enters here, and nothing with fewer than two users."""
