"""The pages on which a user chooses a password by a code or a link: the first one, or one in place of a lost one."""
