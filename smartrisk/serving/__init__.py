"""The engine as a service on HTTP: scores, reasons, decisions and updates.

Reads a saved engine; writes answers to requests, and the next version of the engine
where updates are allowed. FastAPI and uvicorn, the extra ``serve``, are loaded when a
service is made.
"""

from smartrisk.serving._program import create_app, serve
from smartrisk.serving._settings import Address, Limits, ServiceSettings

__all__ = ["Address", "Limits", "ServiceSettings", "create_app", "serve"]
