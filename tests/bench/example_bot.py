"""Pipecat's own example bot for Twilio, as its templates write it, on our stub servers: what we compare with.

python -m tests.bench.example_bot --port 7900 --speech ws://... --brain http://... --voice http://...
"""

from __future__ import annotations

import argparse
import os

import uvicorn
from fastapi import FastAPI, Response, WebSocket
from loguru import logger
from pipecat.audio.vad.silero import SileroVADAnalyzer
from pipecat.frames.frames import LLMRunFrame
from pipecat.pipeline.pipeline import Pipeline
from pipecat.pipeline.worker import PipelineParams, PipelineWorker
from pipecat.processors.aggregators.llm_context import LLMContext
from pipecat.processors.aggregators.llm_response_universal import (
    LLMContextAggregatorPair,
    LLMUserAggregatorParams,
)
from pipecat.runner.utils import parse_telephony_websocket
from pipecat.serializers.twilio import TwilioFrameSerializer
from pipecat.services.deepgram.stt import DeepgramSTTService
from pipecat.services.openai.llm import OpenAILLMService
from pipecat.services.openai.tts import OpenAITTSService
from pipecat.transports.websocket.fastapi import FastAPIWebsocketParams, FastAPIWebsocketTransport
from pipecat.turns.user_stop import SpeechTimeoutUserTurnStopStrategy
from pipecat.turns.user_turn_strategies import UserTurnStrategies
from pipecat.workers.runner import WorkerRunner


async def bot(socket: WebSocket, speech: str, brain: str, voice: str) -> None:
    _, call_data = await parse_telephony_websocket(socket)
    serializer = TwilioFrameSerializer(
        stream_sid=call_data["stream_id"], params=TwilioFrameSerializer.InputParams(auto_hang_up=False)
    )
    transport = FastAPIWebsocketTransport(
        websocket=socket,
        params=FastAPIWebsocketParams(
            audio_in_enabled=True, audio_out_enabled=True, add_wav_header=False, serializer=serializer
        ),
    )
    stt = DeepgramSTTService(api_key="stub", base_url=speech)
    llm = OpenAILLMService(api_key="stub", base_url=brain, settings=OpenAILLMService.Settings(model="stub"))
    tts = OpenAITTSService(api_key="stub", base_url=voice, settings=OpenAITTSService.Settings(voice="alloy"))
    context = LLMContext()
    user, assistant = LLMContextAggregatorPair(
        context,
        user_params=LLMUserAggregatorParams(
            vad_analyzer=SileroVADAnalyzer(),
            user_turn_strategies=UserTurnStrategies(
                stop=[SpeechTimeoutUserTurnStopStrategy(user_speech_timeout=0.6)]
            ),
        ),
    )
    pipeline = Pipeline([transport.input(), stt, user, llm, tts, transport.output(), assistant])
    worker = PipelineWorker(
        pipeline,
        params=PipelineParams(
            audio_in_sample_rate=8000,
            audio_out_sample_rate=8000,
            enable_metrics=True,
            enable_usage_metrics=True,
        ),
    )
    runner = WorkerRunner(handle_sigint=False)

    @transport.event_handler("on_client_connected")  # type: ignore[untyped-decorator]
    async def on_client_connected(transport: object, client: object) -> None:
        context.add_message({"role": "developer", "content": "Please introduce yourself to the user."})
        await worker.queue_frames([LLMRunFrame()])

    @transport.event_handler("on_client_disconnected")  # type: ignore[untyped-decorator]
    async def on_client_disconnected(transport: object, client: object) -> None:
        await runner.cancel()

    await runner.add_workers(worker)
    await runner.run()


def application(speech: str, brain: str, voice: str) -> FastAPI:
    app = FastAPI()

    @app.post("/twilio/voice")
    async def twiml(host: str = "") -> Response:
        url = f"ws://127.0.0.1:{os.environ['EXAMPLE_PORT']}/ws"
        body = f'<Response><Connect><Stream url="{url}"/></Connect></Response>'
        return Response(body, media_type="application/xml")

    @app.get("/readyz")
    async def readyz() -> str:
        return "ok"

    @app.websocket("/ws")
    async def media(socket: WebSocket) -> None:
        await socket.accept()
        await bot(socket, speech, brain, voice)

    return app


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--speech", required=True)
    parser.add_argument("--brain", required=True)
    parser.add_argument("--voice", required=True)
    arguments = parser.parse_args()
    os.environ["EXAMPLE_PORT"] = str(arguments.port)
    logger.remove()
    uvicorn.run(
        application(arguments.speech, arguments.brain, arguments.voice),
        host="127.0.0.1",
        port=arguments.port,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
