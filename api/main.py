"""`uvicorn api.main:app`: the application of this process's environment."""

import sys

from api.app import create_app
from workers.core.log import configure_logging
from workers.core.settings import SettingsError, settings

try:
    _known = settings()
except SettingsError as error:
    sys.exit(f"guildhall api: {error}")
configure_logging(_known.log_level, _known.secrets())
app = create_app(_known)
