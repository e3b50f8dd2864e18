"""The voice server: one process that holds one model and speaks for all calls and all worker processes.

    python -m persona.voice.server --engine xtts --model FOLDER

It may run in an interpreter of its own (`[voice] python`), so it imports nothing of ours but `compliance.errors`,
and nothing heavy before the engine loads. It never fetches anything: see `persona.voice.models`.
"""
