"""Migrations, roles and partition upkeep."""
