"""The portal contract: document 002. The code is the HTTP status; the client refreshes the access token itself."""
