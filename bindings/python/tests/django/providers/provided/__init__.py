"""A site whose users sign in by an identity provider, with each of three libraries."""
