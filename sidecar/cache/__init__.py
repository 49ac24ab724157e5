"""Answers without asking upstream."""
