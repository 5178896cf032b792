"""The pictures and texts of the view "Under the hood": pure functions from an explanation to HTML."""
