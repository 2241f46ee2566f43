"""What the page on alignment collapse computes, judges and says; one file a section."""
