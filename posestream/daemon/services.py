"""What listens beside the stream: VMC control messages, and OSCQuery that announces them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from posestream import __version__
from posestream.daemon.status import notify
from posestream.errors import PublishError
from posestream.publish.oscquery import Advertisement, OscQueryServer
from posestream.publish.vmc_control import VmcControlListener, VmcControlSettings
from posestream.wire.vmc_control import VmcControl

log = logging.getLogger(__name__)

_METHODS = {"/VMC/Ext/Set/Calib/Ready": "", "/VMC/Ext/Set/Calib/Exec": "i"}


class Services:
    """Started once the sinks are; none of them is needed for the main job."""

    def __init__(self, settings: VmcControlSettings, recalibrate: Callable[[], None]) -> None:
        self._settings = settings
        self._recalibrate = recalibrate
        self._listener: VmcControlListener | None = None
        self._announcing: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen; a port in use is said in one sentence and the rest goes on."""
        if not self._settings.enabled:
            return
        listener = VmcControlListener(self._settings, self._on_control)
        try:
            await listener.start()
        except PublishError as error:
            notify(f"posestream: {error} The rest goes on.")
            return
        self._listener = listener
        self._announcing = asyncio.create_task(self._announce(listener.port))

    async def close(self) -> None:
        """Stop listening. Safe to call twice."""
        if self._announcing is not None:
            self._announcing.cancel()
            await asyncio.gather(self._announcing, return_exceptions=True)
            self._announcing = None
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def _on_control(self, control: VmcControl) -> None:
        if control.kind == "calibrate":
            self._recalibrate()

    async def _announce(self, osc_port: int) -> None:
        """Stay findable until cancelled. mDNS takes seconds to start: nobody waits for it."""
        server = OscQueryServer(f"posestream-{__version__}", osc_port, _METHODS)
        advertisement = Advertisement(server)
        try:
            await server.start()
            await advertisement.start()
            await asyncio.Event().wait()
        except PublishError as error:
            log.warning("%s", error)
        finally:
            await advertisement.close()
            await server.close()
