"""Who shows themselves to everyone, in Python: `python -m examples.profiles`.

Reads SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY, as `.stack/env` holds them.
"""

import os

from examples.types.database import PublicProfiles
from supabase import create_client


def main() -> None:
    """Print them, by handle."""
    client = create_client(os.environ["SUPABASE_URL"], os.environ["SUPABASE_PUBLISHABLE_KEY"])
    answer = client.table("profiles").select("*").not_.is_("handle", "null").order("handle")
    for row in answer.execute().data:
        one = PublicProfiles.model_validate(row)
        print(f"{one.handle}: {one.display_name}. {one.bio}")


if __name__ == "__main__":
    main()
