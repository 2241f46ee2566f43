"""What one page of the book alone needs: its studies, and the numbers that its sentences say."""
