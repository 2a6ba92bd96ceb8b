"""What is wrong with a running installation, and how to mend it: `flask doctor`. Shell: it looks into every room."""
