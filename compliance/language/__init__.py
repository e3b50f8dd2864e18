"""What people say and write, in many languages: a yes, a wish, a name, a number."""
