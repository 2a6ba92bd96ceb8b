"""The services and products, who administers them, and who uses what until when."""
