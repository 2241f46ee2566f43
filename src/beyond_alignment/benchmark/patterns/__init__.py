"""What a survey says of patterns of integration, tested on tissue, on known truth and by count."""
