"""The Data API: PostgREST's language over HTTP, planned into SQL, run as the caller's role."""

from stack.rest.service import RestService

__all__ = ["RestService"]
