"""Drawing and charts."""
