"""Access: who reads what, asked at one gate."""
