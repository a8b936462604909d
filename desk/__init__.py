"""Everything that faces people: the JSON API and the staff pages."""
