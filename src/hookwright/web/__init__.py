"""What every HTTP surface shares: credentials, limits, paging, error plumbing."""
