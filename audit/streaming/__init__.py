"""The stream of the trail to a receiver of logs: its format, its receivers and the follower."""
