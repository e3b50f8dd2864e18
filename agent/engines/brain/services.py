"""The language models that come through Pipecat: what each needs and how its service is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from agent.engines.base import Card, EngineConfig
from agent.engines.options import as_fields
from agent.engines.pipecat_services import key_of, service_class
from compliance.errors import EngineFailed, SettingsError


@dataclass(frozen=True, slots=True)
class Service:
    """One row of the table."""

    name: str
    about: str
    module: str
    """Below `pipecat.services`."""
    cls: str
    keys: Mapping[str, str] = field(default_factory=dict)
    """Environment variable -> argument of the constructor."""
    url: str = "base_url"
    """The constructor's argument for `base_url`; empty: its address is fixed."""
    extra: str = ""
    modules: tuple[str, ...] = ()
    needs_model: bool = False
    """It has no model of its own to fall back on that lasts."""

    @property
    def card(self) -> Card:
        """What `twin doctor` prints."""
        return Card(
            kind="brain",
            name=self.name,
            about=self.about,
            factory="agent.engines.brain.pipecat:create",
            keys=tuple(self.keys),
            extra=self.extra,
            modules=self.modules,
            falls_back_to="grounded",
        )


def _cloud(name: str, title: str, cls: str, key: str, module: str = "") -> Service:
    return Service(name, f"{title}, through Pipecat", f"{module or name}.llm", cls, {key: "api_key"})


SERVICES: dict[str, Service] = {
    service.name: service
    for service in (
        Service(
            "anthropic", "Anthropic's Claude, through Pipecat", "anthropic.llm", "AnthropicLLMService",
            {"ANTHROPIC_API_KEY": "api_key"}, url="", extra="anthropic", modules=("anthropic",),
        ),
        Service(
            "google", "Google's Gemini, through Pipecat", "google.llm", "GoogleLLMService",
            {"GOOGLE_API_KEY": "api_key"}, url="", extra="google", modules=("google.genai",),
        ),
        Service(
            "azure", "OpenAI's models on Azure, through Pipecat; base_url is the endpoint", "azure.llm",
            "AzureLLMService", {"AZURE_OPENAI_API_KEY": "api_key"}, url="endpoint", needs_model=True,
        ),
        Service(
            "bedrock", "models on Amazon Bedrock, through Pipecat", "aws.llm", "AWSBedrockLLMService",
            {"AWS_ACCESS_KEY_ID": "aws_access_key", "AWS_SECRET_ACCESS_KEY": "aws_secret_key",
             "AWS_REGION": "aws_region"}, url="", extra="aws", modules=("aioboto3",), needs_model=True,
        ),
        Service(
            "ollama", "Ollama on this machine, without a key, through Pipecat", "ollama.llm", "OLLamaLLMService",
            needs_model=True,
        ),
        Service(
            "nvidia", "NVIDIA NIM, in the cloud or self-hosted by base_url, through Pipecat", "nvidia.llm",
            "NvidiaLLMService", {"NVIDIA_API_KEY": "api_key"},
        ),
        _cloud("groq", "Groq", "GroqLLMService", "GROQ_API_KEY"),
        _cloud("mistral", "Mistral", "MistralLLMService", "MISTRAL_API_KEY"),
        _cloud("together", "Together AI", "TogetherLLMService", "TOGETHER_API_KEY"),
        _cloud("fireworks", "Fireworks AI", "FireworksLLMService", "FIREWORKS_API_KEY"),
        _cloud("openrouter", "OpenRouter", "OpenRouterLLMService", "OPENROUTER_API_KEY"),
        _cloud("deepseek", "DeepSeek", "DeepSeekLLMService", "DEEPSEEK_API_KEY"),
        _cloud("cerebras", "Cerebras", "CerebrasLLMService", "CEREBRAS_API_KEY"),
        _cloud("xai", "xAI's Grok", "GrokLLMService", "XAI_API_KEY"),
        _cloud("sambanova", "SambaNova", "SambaNovaLLMService", "SAMBANOVA_API_KEY"),
        _cloud("qwen", "Alibaba's Qwen", "QwenLLMService", "DASHSCOPE_API_KEY"),
        _cloud("nebius", "Nebius", "NebiusLLMService", "NEBIUS_API_KEY"),
    )
}  # fmt: skip


def build(service: Service, config: EngineConfig) -> Any:
    """Make the Pipecat service; connects to nothing.

    Raises `EngineMissing` for a missing library, key or model, `SettingsError` for a setting it does not have,
    `EngineFailed` when it does not load.
    """
    cls = service_class(service.card, service.module, service.cls)
    if service.needs_model and not config.model:
        raise SettingsError(f"[brain] model is not set; name a model that {service.name} has")
    arguments: dict[str, Any] = {}
    self_hosted = bool(service.url and config.base_url)
    for key, argument in service.keys.items():
        arguments[argument] = key_of(service.card, key, config, self_hosted=self_hosted) or "none"
    if config.base_url and not service.url:
        raise SettingsError(f"[brain] base_url: {service.name} has a fixed address; leave it out")
    if config.base_url:
        arguments[service.url] = config.base_url
    elif service.url == "endpoint":
        raise SettingsError("[brain] base_url is not set; write the endpoint of your Azure resource")
    given = {"model": config.model} if config.model else {}
    own = as_fields("brain", service.name, cls.Settings, config.options, taken={"model", "system_instruction"})
    try:
        return cls(settings=cls.Settings(**given, **own), **arguments)
    except Exception as error:  # noqa: BLE001 - each service has its own errors; to us it does not load
        raise EngineFailed(f"brain {service.name}: it does not load ({type(error).__name__})") from None
