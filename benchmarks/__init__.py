"""What produced every number that we print."""
