"""Reserve before, settle after."""
