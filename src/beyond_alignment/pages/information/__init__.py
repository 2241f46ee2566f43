"""What page 05 computes, says and shows."""
