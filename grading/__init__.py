"""The grade of any submission, item by item, with evidence."""
