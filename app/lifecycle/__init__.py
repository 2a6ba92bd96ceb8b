"""Joiners and leavers: what HR announces, which access it means, and the case that follows."""
