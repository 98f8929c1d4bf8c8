"""A site whose users are in the chat as the page loads."""
