"""Who is told of an alert, when, and that each notice arrives at least once."""
