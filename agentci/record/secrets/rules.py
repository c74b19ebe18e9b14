"""What secrets look like: one row for each shape. A new kind is one row, and its planted example.

Every shape is bounded in length and starts with something rare, so that the work is linear in the
text whatever the text is. A row that is added later says since which version of the rules it is
there: a redacted recording is keyed with the rules of its time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

RULES_VERSION: Final = 1
"""Raised with every change of what is found, so that redacted recordings keep their keys."""

Check: TypeAlias = Literal["token", "typed", "password", "in-url", "basic", "none"]
"""How a text of the right shape is told from a placeholder; see `plausible`."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One shape. The group `secret`, or else all of the match, is what must not be kept."""

    kind: str
    words: tuple[str, ...]
    """One of these is in every text that matches; lower case where `any_case`."""
    shape: re.Pattern[str]
    check: Check = "token"
    any_case: bool = False
    since: int = 1


_START: Final = r"(?<![A-Za-z0-9])"
_WORD: Final = r"[A-Za-z0-9_-]"


def _prefixed(kind: str, word: str, rest: str, *, check: Check = "token") -> Rule:
    return Rule(kind, (word,), re.compile(f"{_START}{re.escape(word)}{rest}"), check)


def _shaped(kind: str, words: tuple[str, ...], shape: str, *, check: Check = "token") -> Rule:
    return Rule(kind, words, re.compile(_START + shape), check)


def _named(kind: str, words: tuple[str, ...], shape: str, *, check: Check = "token") -> Rule:
    return Rule(kind, words, re.compile(shape, re.IGNORECASE), check, any_case=True)


_SET: Final = r"[\"'\\\]]{0,6}+[ \t]{0,8}+(?::=|=>|==?|:)[ \t]{0,8}+[\"'\\`]{0,6}+"
"""Between a name and its value, in code, JSON, YAML, shells and headers, quotes escaped or not."""
_VALUE: Final = r"[^\s\"'\\<>,;`&|(){}\[\]]"

_MODELS: Final = (
    _prefixed("anthropic-key", "sk-ant-", _WORD + "{20,250}+"),
    _prefixed("openrouter-key", "sk-or-", r"(?:v1-)?[A-Za-z0-9]{20,200}+"),
    _prefixed("langfuse-key", "sk-lf-", r"[0-9a-f-]{30,40}+"),
    _prefixed("deepseek-key", "sk-", r"[0-9a-f]{32}(?![A-Za-z0-9_-])"),
    _prefixed("openai-key", "sk-", _WORD + "{20,250}+"),
    _prefixed("google-key", "AIza", _WORD + "{35}"),
    _prefixed("groq-key", "gsk_", "[A-Za-z0-9]{32,120}+"),
    _prefixed("xai-key", "xai-", "[A-Za-z0-9]{40,120}+"),
    _prefixed("hugging-face-token", "hf_", "[A-Za-z0-9]{30,60}+"),
    _prefixed("hugging-face-token", "api_org_", "[A-Za-z0-9]{30,60}+"),
    _prefixed("replicate-token", "r8_", "[A-Za-z0-9]{30,60}+"),
    _prefixed("perplexity-key", "pplx-", "[A-Za-z0-9]{40,80}+"),
    _prefixed("cerebras-key", "csk-", "[A-Za-z0-9]{40,80}+"),
    _prefixed("nvidia-key", "nvapi-", _WORD + "{40,120}+"),
    _prefixed("fireworks-key", "fw_", "[A-Za-z0-9]{22,60}+"),
    _prefixed("together-key", "tgp_v1_", _WORD + "{30,80}+"),
    _prefixed("langsmith-key", "lsv2_", r"(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}"),
    _prefixed("tavily-key", "tvly-", r"[A-Za-z0-9-]{24,80}+"),
    _prefixed("pinecone-key", "pcsk_", r"[A-Za-z0-9_]{30,120}+"),
    _prefixed("jina-key", "jina_", _WORD + "{40,100}+"),
    _prefixed("elevenlabs-key", "sk_", "[0-9a-f]{48}"),
    _shaped("posthog-key", ("phc_", "phx_"), "ph[cx]_[A-Za-z0-9]{40,60}+"),
    _shaped("azure-key", ("JQQJ99",), "[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,40}+"),
    _prefixed("aws-bedrock-key", "ABSK", "[A-Za-z0-9+/]{80,300}+={0,2}"),
    _named(
        "mistral-key",
        ("mistral",),
        rf"mistral{_WORD}{{0,24}}?key{_SET}(?P<secret>[A-Za-z0-9]{{32}})(?![A-Za-z0-9])",
    ),
    _named(
        "cohere-key",
        ("cohere", "co_api_key"),
        rf"(?:cohere|co_api){_WORD}{{0,24}}?key{_SET}(?P<secret>[A-Za-z0-9]{{40}})(?![A-Za-z0-9])",
    ),
)
_CLOUDS: Final = (
    _shaped(
        "aws-key-id",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        "(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}(?![A-Za-z0-9])",
        check="typed",
    ),
    _named(
        "aws-secret",
        ("secret", "aws"),
        rf"(?:secret_?-?(?:access)?_?-?key|aws_?-?secret){_SET}"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])",
        check="typed",
    ),
    _shaped(
        "aws-session-token",
        ("FwoGZXIvYXdz", "IQoJb3JpZ2lu", "FQoGZXIvYXdz", "FQoDYXdz"),
        "(?:F[wQ]oGZXIvYXdz|IQoJb3JpZ2lu|FQoDYXdz)[A-Za-z0-9/+%=]{60,4000}+",
    ),
    _named(
        "aws-session-token",
        ("token",),
        rf"(?:session|security)_?-?token{_SET}(?P<secret>[A-Za-z0-9/+%=]{{100,4000}}+)",
    ),
    _named(
        "signed-url",
        ("signature",),
        r"(?:x-amz-|x-goog-|\b)signature=(?P<secret>[0-9a-f]{64,1024}+)(?![A-Za-z0-9])",
    ),
    _named(
        "azure-sas",
        ("sig=", "sig%3d"),
        r"(?<![a-z0-9])sig=(?P<secret>[A-Za-z0-9%+/=_-]{30,200}+)",
    ),
    _named(
        "azure-storage-key",
        ("accountkey", "sharedaccesskey"),
        r"(?:account|sharedaccess)key=(?P<secret>[A-Za-z0-9+/]{40,88}+={0,2})",
    ),
    _prefixed("google-oauth-token", "ya29.", r"[A-Za-z0-9_.-]{20,2048}+"),
    _prefixed("google-refresh-token", "1//0", _WORD + "{30,200}+"),
    _prefixed("google-client-secret", "GOCSPX-", _WORD + "{20,60}+"),
    _shaped("digitalocean-token", ("_v1_",), "do[opr]_v1_[0-9a-f]{64}"),
    _prefixed("databricks-token", "dapi", "[0-9a-f]{32}"),
    _prefixed("vault-token", "hvs.", _WORD + "{24,200}+"),
)
_SERVICES: Final = (
    _shaped(
        "github-token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        "gh[pousr]_[A-Za-z0-9]{36,255}+",
    ),
    _prefixed("github-token", "github_pat_", "[A-Za-z0-9_]{22,255}+"),
    _shaped(
        "gitlab-token",
        ("glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "glsoat-", "glimt-", "glft-", "gloas-"),
        r"gl(?:pat|ptt|dt|rt|cbt|soat|imt|ft|oas)-[A-Za-z0-9_.-]{20,300}+",
    ),
    _shaped("slack-token", ("xox",), r"xox[abeoprs](?:\.xox[ap])?-[A-Za-z0-9-]{10,300}+"),
    _prefixed("slack-token", "xapp-", r"[0-9]-[A-Za-z0-9]{6,20}-[0-9]{6,20}-[0-9a-f]{20,80}+"),
    _prefixed(
        "slack-webhook",
        "hooks.slack.com/",
        "(?:services|workflows|triggers)/[A-Za-z0-9/_-]{20,120}+",
    ),
    _shaped("stripe-key", ("k_live_", "k_test_"), "[rs]k_(?:live|test)_[A-Za-z0-9]{16,250}+"),
    _prefixed("stripe-key", "whsec_", "[A-Za-z0-9+/]{24,120}+={0,2}"),
    _prefixed("sendgrid-key", "SG.", rf"{_WORD}{{16,32}}+\.{_WORD}{{32,64}}+"),
    _prefixed("npm-token", "npm_", "[A-Za-z0-9]{36}"),
    _prefixed("pypi-token", "pypi-AgE", _WORD + "{50,500}+"),
    _prefixed("docker-token", "dckr_", "(?:pat|oat)_" + _WORD + "{24,60}+"),
    _shaped("shopify-token", ("shp",), "shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _shaped("telegram-token", (":AA",), r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"),
    _prefixed("linear-key", "lin_api_", "[A-Za-z0-9]{32,60}+"),
    _prefixed("notion-key", "ntn_", "[A-Za-z0-9]{40,60}+"),
    _prefixed("grafana-token", "glsa_", "[A-Za-z0-9]{32}_[0-9a-fA-F]{8}"),
    _shaped("sentry-token", ("sntry",), "sntry[su]_[A-Za-z0-9+/=_-]{40,300}+"),
    _prefixed("twilio-key", "SK", "[0-9a-f]{32}(?![A-Za-z0-9])"),
    _prefixed("age-key", "AGE-SECRET-KEY-1", "[0-9A-Z]{50,64}+"),
)
_FORMS: Final = (
    Rule(
        "private-key",
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN (?:[A-Z0-9]{1,20}+ ){0,3}PRIVATE KEY(?: BLOCK)?-----"
            r"(?P<body>(?:[^-]|-(?!----)){0,16000}+)(?:-----END [A-Z0-9 ]{1,60}-----)?"
        ),
        "none",
    ),
    _prefixed(
        "jwt",
        "eyJ",
        rf"{_WORD}{{8,4000}}+\.(?:eyJ)?{_WORD}{{8,16000}}+\.{_WORD}{{8,2000}}+",
    ),
    _named(
        "cookie",
        (
            "__cf_bm", "_cfuvid", "cf_clearance", "sess", "connect.sid", "csrf", "awsalb",
            "__host-", "__secure-",
        ),
        r"(?<![a-z0-9_])(?:__cf_bm|_cfuvid|cf_clearance|awsalb(?:tg)?(?:cors)?|connect\.sid"
        r"|(?:php|j|asp)?sess(?:ion)?(?:_?id)?|csrf_?token|__(?:host|secure)-[a-z0-9_.-]{1,40})"
        r"=(?P<secret>[A-Za-z0-9%+/=_.~:-]{16,4000}+)",
    ),
    _named(
        "connection-string",
        ("://",),
        r"(?<![a-z0-9])[a-z][a-z0-9+]{1,20}://[^\s:/@\"'<>\\]{0,100}+:"
        r"(?P<secret>[^\s:/@\"'<>\\]{3,200}+)@(?=[a-z0-9\[])",
        check="in-url",
    ),
    _named(
        "bearer-token",
        ("bearer",),
        r"\bbearer(?:\s|%20|\+){1,4}(?P<secret>[A-Za-z0-9_\-.=+/~]{16,4000}+)",
    ),
    _named(
        "basic-credentials",
        ("basic",),
        r"\bbasic(?:\s|%20|\+){1,4}(?P<secret>[A-Za-z0-9+/]{8,1000}+={0,2})",
        check="basic",
    ),
)  # fmt: skip
_ASSIGNED: Final = (
    _named(
        "password",
        ("passw", "pwd", "passphrase"),
        rf"(?:password|passwd|passphrase|pwd){_SET}(?P<secret>{_VALUE}{{6,256}}+)(?![(\[])",
        check="password",
    ),
    _named(
        "assigned-secret",
        ("key", "token", "secret", "credential"),
        r"(?:api[_-]?key|apikey|access[_-]?key|account[_-]?key|auth[_-]?key|private[_-]?key"
        r"|signing[_-]?key|encryption[_-]?key|subscription[_-]?key|secret[_-]?key|secret|token"
        rf"|credentials?){_SET}(?P<secret>{_VALUE}{{16,1024}}+)(?![(\[])",
    ),
)

RULES: Final[tuple[Rule, ...]] = (*_MODELS, *_CLOUDS, *_SERVICES, *_FORMS, *_ASSIGNED)
"""The specific ones first: of two kinds for the same text the first one names it."""
