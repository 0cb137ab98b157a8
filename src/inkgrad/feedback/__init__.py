"""What people say of what was read: corrections and reviews, kept in a database."""

from inkgrad.feedback.store import Entry, FullStoreError, Kept, KeyTakenError, Store, database_named, default_database

__all__ = ["Entry", "FullStoreError", "Kept", "KeyTakenError", "Store", "database_named", "default_database"]
