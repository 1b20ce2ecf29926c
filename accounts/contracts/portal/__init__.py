"""The portal contract: document 002. The code is the HTTP status; the access token itself is refreshed."""
