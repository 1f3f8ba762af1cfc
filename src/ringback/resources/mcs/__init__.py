"""What the media store knows of its files."""
