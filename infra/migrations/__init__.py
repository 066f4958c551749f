"""Tortoise's migrations, in order. A migration that has landed is never edited."""
