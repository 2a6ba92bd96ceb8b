"""The audit log: what happened, who did it, and how things stood before and after."""
