"""What runs by itself: taking events in, sending deliveries, tidying up."""
