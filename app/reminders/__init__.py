"""What people are reminded of: payments that come near, tasks that wait, access that ends; and what they answered."""
