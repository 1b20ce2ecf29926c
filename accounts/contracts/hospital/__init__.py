"""The hospital's contract: document 000. One token a day, and `{success, data}` or `{success, message}`."""
