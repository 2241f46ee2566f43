"""Transcripts on the patch grid of a vision transformer: tiles, arms, training and scores."""
