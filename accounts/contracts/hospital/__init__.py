"""The hospital's contract: document 000. One token for a day, and `{success, data}` or `{success, message}`."""
