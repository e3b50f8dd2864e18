"""What the persona can do in a call: take a message, look at the calendar, reach the owner, transfer, hang up."""
