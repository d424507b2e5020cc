"""A rater service in memory for the display tests: any presentation, any pictures, no store, no design."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from codecarena.studies.presentations.registry import PRESENTATION_NAMES, find_presentation
from codecarena.studies.records.messages import (
    Choice,
    Done,
    Joined,
    NextStep,
    Panel,
    Progress,
    SessionError,
    Shown,
    Stage,
    Trial,
    VoteReceipt,
    VoteRequest,
    Welcome,
)

SLOTS = ("reference", "first", "second")
Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """One trial: how it is shown, how large, and of which size the pictures are."""

    presentation: str
    zoom: int = 1
    height: int = 101
    width: int = 149
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON

    def pictures(self) -> dict[str, Pixels]:
        """Return noise, the hardest picture there is; the same at every call."""
        random = np.random.default_rng([self.height, self.width, self.zoom])
        slots = SLOTS if find_presentation(self.presentation).shows_original else SLOTS[1:]
        return {slot: random.integers(0, 256, (self.height, self.width, 3), np.uint8) for slot in slots}


SCENES = (
    Scene("flip"),
    Scene("side-by-side", height=120, width=100),
    Scene("no-reference", zoom=2, height=67, width=83),
    Scene("triplet", zoom=3, height=40, width=41),
    Scene("flicker", height=90, width=111, parameters={"flicker_hz": 10}),
)


def scene_of(presentation: str) -> Scene:
    """Return the scene of a presentation; of one that has none a small one, with its own defaults."""
    defaults = find_presentation(presentation).parameters().model_dump()
    scenes = {scene.presentation: scene for scene in SCENES}
    return scenes.get(presentation, Scene(presentation, parameters=defaults))


@dataclass
class ScriptedRaterService:
    """Shows one list of scenes, trial by trial, to whoever comes; each join begins anew."""

    scenes: tuple[Scene, ...] = SCENES
    first_stage: Stage = "trials"
    question: str = "Which one is closer to the original?"
    minimum_view_ms: int = 0
    gap_ms: int = 100
    magnify: bool = True
    stage: Stage = "trials"
    vote_requests: list[VoteRequest] = field(default_factory=list)
    records: list[dict[str, Any]] = field(default_factory=list)
    tokens: dict[str, bytes] = field(default_factory=dict)
    trials: list[Trial] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.trials = [self._trial(place, scene) for place, scene in enumerate(self.scenes)]

    def _trial(self, place: int, scene: Scene) -> Trial:
        shown = []
        for slot, pixels in scene.pictures().items():
            token = secrets.token_urlsafe(9)
            self.tokens[token] = cv2.imencode(".png", pixels[..., ::-1])[1].tobytes()
            shown.append(Shown(slot, token, scene.width, scene.height))
        return Trial(
            f"trial-{place}", scene.presentation, scene.parameters, self.question, tuple(shown),
            ("first", "second", "none"),
            place == 0, Progress(place, len(self.scenes)), self.minimum_view_ms, self.gap_ms, None,
            scene.zoom, self.magnify,
        )  # fmt: skip

    def join(self, invitation: str) -> Joined:
        if invitation != "known":
            raise SessionError("unknown_invitation", 404)
        self.stage, self.vote_requests = self.first_stage, []
        return Joined("session", self.stage)

    def join_panel(self, study: str, panel: Panel, earlier: str = "") -> Joined:
        return self.join("known")

    def welcome(self, session_token: str) -> Welcome:
        first = self.scenes[0]
        needs_consent = [
            scene for scene in self.scenes if find_presentation(scene.presentation).needs_consent
        ]
        asking = (needs_consent or [first])[0]
        lights = Choice("light", "How bright is the room?", ("dark", "dim", "bright"))
        corrected = Choice(
            "sight", "Do you see well at this distance, with glasses if you need them?", ("yes", "no")
        )
        return Welcome(
            self.stage, "Which picture looks better?", "You compare pictures. It takes 15 minutes.",
            "We store your answers and how long each took.\n\nWe store no name and no address.", "1", 18,
            (corrected,), (lights,), asking.presentation, asking.parameters, bool(needs_consent),
            self.question, True, True, True,
            first.width, first.height, first.zoom, self.magnify, self._progress(), "7KQF-2MXD",
            "study@lab.example",
        )  # fmt: skip

    def consent(
        self,
        session_token: str,
        version: str,
        *,
        agreed: bool,
        of_age: bool,
        accepts_presentation: bool = False,
    ) -> Stage:
        self.records.append(
            {"agreed": agreed, "of_age": of_age, "accepts_presentation": accepts_presentation}
        )
        self.stage = "screening" if agreed and of_age else "declined"
        return self.stage

    def screening(self, session_token: str, answers: Mapping[str, str]) -> Stage:
        self.records.append(dict(answers))
        self.stage = "calibration"
        return self.stage

    def calibration(self, session_token: str, record: Mapping[str, Any]) -> Stage:
        self.records.append(dict(record))
        self.stage = "trials"
        return self.stage

    def _progress(self) -> Progress:
        return Progress(len(self.vote_requests), len(self.trials))

    def next_trial(self, session_token: str) -> NextStep:
        if self.stage == "declined":
            return Done("declined", None, None, "", self._progress())
        if len(self.vote_requests) < len(self.trials):
            return self.trials[len(self.vote_requests)]
        return Done(
            "complete",
            "C1ABCDEF",
            "https://panel.example/done?cc=C1ABCDEF",
            "7KQF-2MXD",
            self._progress(),
        )

    def upcoming(self, session_token: str) -> Trial | None:
        place = len(self.vote_requests) + 1
        return self.trials[place] if place < len(self.trials) else None

    def stimulus(self, token: str) -> bytes:
        if token not in self.tokens:
            raise SessionError("unknown_picture", 404)
        return self.tokens[token]

    def vote(self, session_token: str, vote_request: VoteRequest) -> VoteReceipt:
        due = self.next_trial(session_token)
        if not isinstance(due, Trial) or due.trial != vote_request.trial:
            raise SessionError("not_due", 409)
        self.vote_requests.append(vote_request)
        feedback = "agrees" if due.training else None
        following = self.next_trial(session_token)
        return VoteReceipt(
            vote_request.trial, vote_request.client_uuid, vote_request.answer, False, feedback, following
        )

    def end_break(self, session_token: str) -> NextStep:
        return self.next_trial(session_token)

    def withdraw(self, token: str) -> int:
        votes, self.vote_requests = len(self.vote_requests), []
        return votes


def main() -> None:
    """Serve a scripted rater service behind the real page: ``scripted_rater_service.py PORT STAGE``.

    In place of a stage: the name of a presentation shows this one only, ``each`` shows all that there are.
    """
    import uvicorn
    from streamlit.starlette import App
    from streamlit.web.bootstrap import load_config_options

    from codecarena.reports.server.server import OPTIONS, RATERS_APP
    from codecarena.studies.session.routes import routes

    load_config_options(OPTIONS)
    if sys.argv[2] == "each":
        service = ScriptedRaterService(tuple(map(scene_of, PRESENTATION_NAMES)))
    elif sys.argv[2] in PRESENTATION_NAMES:
        service = ScriptedRaterService((scene_of(sys.argv[2]),), magnify=False)
    else:
        service = ScriptedRaterService(first_stage=sys.argv[2])  # type: ignore[arg-type] - one of `Stage`
    app = App(RATERS_APP, routes=routes(lambda: service))
    uvicorn.run(app, port=int(sys.argv[1]), ws="websockets-sansio", log_level="warning")


if __name__ == "__main__":
    main()
