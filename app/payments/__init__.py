"""What each product costs, what pays for it and until when: the payment register."""
