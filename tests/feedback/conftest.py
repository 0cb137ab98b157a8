from databases import database

__all__ = ["database"]
