"""The caller's own profile and roles: the first call of a front end, and the pattern for others."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.callers import SignedIn
from api.envelope import Success
from api.errors import SignInRequired
from api.routing import people_router, possible
from workers.core.db import one
from workers.core.errors import GuildhallError

router = people_router(tags=["identity"])


class ProfileMissing(GuildhallError):
    """There is no such person."""

    code, http_status = "identity.user_not_found", 404


class Me(BaseModel):
    """A person as they see themselves."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "7d3f0c5e-3f0b-4c7e-9a43-0e6a3c1f2b7a",
                "handle": "chidi",
                "display_name": "Chidi",
                "bio": "Tea, mostly.",
                "avatar_path": None,
                "visibility": "members",
                "is_verified": False,
                "roles": ["creator"],
                "created_at": "2026-11-21T10:00:00Z",
            }
        }
    )

    id: UUID
    handle: str | None
    display_name: str
    bio: str
    avatar_path: str | None = Field(description="In the bucket `avatars`.")
    visibility: str = Field(description="public, members or private.")
    is_verified: bool
    roles: list[str] = Field(description="creator, sponsor, agent, moderator, admin.")
    created_at: datetime


@router.get("/me", summary="Who am I", responses=possible(SignInRequired, ProfileMissing))
async def read_me(caller: SignedIn) -> Success[Me]:
    """The caller's profile and roles, read as the caller.

    With supabase-js: `supabase.functions.invoke('me', { method: 'GET' })`.
    """
    async with caller.transaction() as db:
        me = await one(
            db,
            Me,
            "select id, handle, display_name, bio, avatar_path, visibility, is_verified,"
            " created_at, array("
            "  select role::text from public.role_assignments where user_id = person.id"
            "  order by role"
            " ) as roles"
            " from public.profiles as person where id = (select auth.uid())",
            [],
        )
    if me is None:
        raise ProfileMissing("You have no profile.")
    return Success(data=me)
