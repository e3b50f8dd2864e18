"""For whom words are meant: scripted meetings, the fit of the weights, and the score."""
