"""How a person or a test plays with the sandbox: faults, deliveries, what each provider knows."""

from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, ConfigDict

from sandbox.core import Delivery, Fault, World

router = APIRouter(prefix="/control/{provider}")


class FaultsWanted(BaseModel):
    model_config = ConfigDict(extra="forbid")

    faults: list[Fault]


def _world(request: Request, provider: str) -> World:
    found: World | None = request.app.state.worlds.get(provider)
    if found is None:
        raise HTTPException(404, {"error": f"no provider {provider}"})
    return found


@router.put("/faults")
async def set_faults(request: Request, provider: str, wanted: FaultsWanted) -> dict[str, Any]:
    """What goes wrong from now on, instead of what did."""
    found = _world(request, provider)
    found.faults = list(wanted.faults)
    return {"faults": [asdict(one) for one in found.faults]}


@router.post("/faults")
async def add_fault(request: Request, provider: str, wanted: Fault) -> dict[str, Any]:
    """One more thing that goes wrong from now on."""
    found = _world(request, provider)
    found.faults.append(wanted)
    return {"faults": [asdict(one) for one in found.faults]}


@router.put("/delivery")
async def set_delivery(request: Request, provider: str, wanted: Delivery) -> dict[str, Any]:
    """How events are delivered from now on."""
    found = _world(request, provider)
    found.delivery = wanted
    return asdict(wanted)


@router.post("/deliver")
async def deliver(request: Request, provider: str) -> list[dict[str, Any]]:
    """Send what was held back; every event with the answers it got."""
    sent = await _world(request, provider).deliver()
    return [{"id": one.id, "kind": one.kind, "answers": one.answers} for one in sent]


@router.get("/events")
async def list_events(request: Request, provider: str) -> list[dict[str, Any]]:
    """Events that were sent or wait, oldest first."""
    found = _world(request, provider)
    return [
        {"id": one.id, "kind": one.kind, "answers": one.answers, "body": one.body.decode()}
        for one in (*found.sent, *found.waiting)
    ]


@router.post("/events/{event_id}/resend")
async def resend(
    request: Request, provider: str, event_id: str, times: int = 1
) -> dict[str, list[int]]:
    """An event again, as often as asked; the answers."""
    found = _world(request, provider)
    for one in found.sent:
        if one.id == event_id:
            known = len(one.answers)
            for _ in range(times):
                found.waiting.append(one)
            await found.deliver()
            return {"answers": one.answers[known:]}
    raise HTTPException(404, {"error": f"no event {event_id}"})


@router.get("/objects")
async def list_objects(request: Request, provider: str) -> list[dict[str, Any]]:
    """Everything this provider knows, oldest first."""
    return list(_world(request, provider).objects.values())
