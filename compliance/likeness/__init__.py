"""The owner's consent to a cloned voice and face."""
