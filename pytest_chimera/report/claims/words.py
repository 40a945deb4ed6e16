"""The words of reports: units, metrics, statistics, conditions, comparisons, and what makes a number no claim."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from typing import NamedTuple

NUMBER = re.compile(r"(?<![\w.,])[+\-\u2212]?(?:\d{1,3}(?:,\d{3})+(?!\d|,\d)|\d+)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\d])")
LONGEST_NUMBER = 24
"""Characters; longer runs of digits are ids."""


class Unit(NamedTuple):
    """What a unit says of the number before it."""

    name: str
    kind: str
    """A dimension of `units`, or "factor" of 1.6x, "bandwidth", "money"."""
    scale: float
    """To the SI unit."""
    metrics: tuple[str, ...] = ()
    """When the unit itself names the metric."""


_SPEED = ("tok/s", "tok/s_e2e", "prefill")


def _units() -> dict[str, Unit]:
    table: dict[str, Unit] = {}
    for names, kind, scale, metrics in (
        ("tokens/second tokens/sec tokens/s token/s tok/s tok/sec toks/s t/s tps tokens_per_s", "rate", 1.0, _SPEED),
        ("words/s words/sec words/second", "per_second", 1.0, ("words/s",)),
        ("req/s requests/s requests/sec requests/second rps qps", "per_second", 1.0, ("request_rate",)),
        ("ms milliseconds millisecond msec", "time", 1e-3, ()),
        ("ms/token ms/tok", "time", 1e-3, ("time/token", "itl")),
        ("s sec secs seconds second", "time", 1.0, ()),
        ("µs us μs microseconds", "time", 1e-6, ()),
        ("ns nanoseconds", "time", 1e-9, ()),
        ("min mins minutes minute", "time", 60.0, ()),
        ("h hr hrs hours hour", "time", 3600.0, ()),
        ("days day", "time", 86400.0, ()),
        ("weeks week", "time", 604800.0, ()),
        ("% percent", "ratio", 0.01, ()),
        ("pp percentage_points", "points", 0.01, ()),
        ("x \u00d7 times fold", "factor", 1.0, ()),
        ("bytes", "bytes", 1.0, ()),
        ("kb", "bytes", 1e3, ()), ("mb", "bytes", 1e6, ()), ("gb", "bytes", 1e9, ()), ("tb", "bytes", 1e12, ()),
        ("kib", "bytes", 2.0**10, ()), ("mib", "bytes", 2.0**20, ()), ("gib", "bytes", 2.0**30, ()),
        ("gb/s mb/s tb/s gib/s", "bandwidth", 1.0, ()),
        ("w watts watt", "power", 1.0, ("power", "power_limit")), ("kw", "power", 1e3, ("power",)),
        ("kwh wh j", "energy", 1.0, ()),
        ("°c", "celsius", 1.0, ("gpu_temp",)),
        ("hz", "frequency", 1.0, ()), ("mhz", "frequency", 1e6, ()), ("ghz", "frequency", 1e9, ()),
        ("tokens token tok", "tokens", 1.0, ()),
        ("chars characters char", "characters", 1.0, ("answer_chars",)),
        ("words word", "words", 1.0, ("words",)),
    ):  # fmt: skip
        for name in names.split():
            table[name.replace("_", " ")] = Unit(name.replace("_", " "), kind, scale, metrics)
    for spelled in ("tokens per second", "tokens per sec", "token per second"):
        table[spelled] = Unit(spelled, "rate", 1.0, _SPEED)
    table["words per second"] = Unit("words per second", "per_second", 1.0, ("words/s",))
    table["requests per second"] = Unit("requests per second", "per_second", 1.0, ("request_rate",))
    table["ms per token"] = Unit("ms per token", "time", 1e-3, ("time/token", "itl"))
    return table


UNITS = _units()
"""Unit in lower case, as written -> what it says."""

_BINARY = {"kb": 2.0**10, "mb": 2.0**20, "gb": 2.0**30, "tb": 2.0**40}


def scales_of(unit: Unit) -> tuple[float, ...]:
    """The scales that a unit may mean: a GB of programs is as often 2^30 bytes as 10^9."""
    return (unit.scale, _BINARY[unit.name]) if unit.name in _BINARY else (unit.scale,)


_UNIT_NAMES = "|".join(re.escape(name) for name in sorted(UNITS, key=len, reverse=True))
UNIT_AFTER = re.compile(rf"(\+?\s?-?\s?)({_UNIT_NAMES})(?![\w/]|-?\d)", re.IGNORECASE)
"""A unit right behind a number."""
UNIT_IN_HEAD = re.compile(
    rf"[(\[,/]\s*({_UNIT_NAMES})(?:\s+per\s+\w+)?\s*[)\]]|\b(?:in|as)\s+({_UNIT_NAMES})\s*$", re.IGNORECASE
)
"""A unit in the head of a column: "TTFT (ms)"."""
_UNIT_OF_NAME = re.compile(
    r"_(ms|us|ns|s|sec|seconds|mb|gb|kb|bytes|pct|percent|w|tokens_s|tok_s|tokens_per_s)$", re.IGNORECASE
)
_NAME_UNITS = {"pct": "%", "percent": "%", "tokens_s": "tok/s", "tok_s": "tok/s", "tokens_per_s": "tok/s"}


def unit_of_name(name: str) -> Unit | None:
    """The unit that a column or key like "mean_ttft_ms" ends in."""
    name = name.strip().lower().replace(" ", "_")
    if re.search(r"(tokens|tok|token)_(per_)?s(ec)?(ond)?$", name):
        return UNITS["tok/s"]
    match = _UNIT_OF_NAME.search(name)
    return UNITS.get(_NAME_UNITS.get(match[1].lower(), match[1].lower())) if match else None


METRIC_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"time[- ]to[- ]first[- ]token|ttft|(?:(?:until|to|before|for) (?:the |its )?)?first[- ]token(?: latency| time)?",
     ("ttft",)),
    (r"inter[- ]token latency|itl", ("itl",)),
    (r"time per (?:output )?token|tpot", ("time/token", "itl")),
    (r"prompt[- ]eval(?:uation)? (?:rate|speed)|prefill (?:rate|speed|throughput)", ("prefill",)),
    (r"prompt[- ]eval(?:uation)? count|prompt tokens|input tokens|prompt length", ("prompt_tokens",)),
    (r"prompt[- ]eval(?:uation)?(?: times?| duration)?|prefill(?: times?| duration)?", ("prompt_eval", "prefill")),
    ((r"eval(?:uation)? count|output tokens|generated tokens|tokens generated|completion tokens"
      r"|(?:output|response|answer) lengths?|tokens per response"), ("output_tokens",)),
    (r"total tokens", ("total_tokens",)),
    (r"eval(?:uation)?(?: time| duration)|decode (?:time|duration)|eval[ _]s", ("eval",)),
    (r"words? (?:per second|s)|words/s(?:ec)?", ("words/s",)),
    (r"requests? per second|request (?:rate|throughput)|req/s|rps|qps", ("request_rate",)),
    ((r"(?:token )?throughputs?|tokens?(?: per |/)s(?:ec(?:ond)?)?|tok/s(?:ec)?|tps|tokens s|tok s|t/s"
      r"|(?:token |text |response )?generation (?:speed|rate)|decode (?:speed|rate)|eval rate|token generation"
      r"|tokens sec(?:ond)?|(?:inference )?speed"), (*_SPEED, "words/s", "request_rate")),
    (r"compil(?:e|ation)[- ](?:times?|durations?|costs?)", ("compile",)),
    (r"kernel (?:time|duration)s?", ("kernel",)),
    (r"(?:model )?load(?:ing)?(?: times?| durations?| s)?", ("load",)),
    ((r"end[- ]to[- ]end(?: latency| time)?|e2e|wall(?:[- ]clock)?(?: time)?|total (?:time|duration|latency)"
      r"|request latency"), ("e2e", "total", "latency")),
    (r"(?:total )?(?:test|benchmark|session|experiment|sweep|suite|study)(?:ing)? (?:duration|time|window)s?",
     ("session_time",)),
    ((r"(?:mean |avg )?generation times?|response times?|inference times?|execution times?|latenc(?:y|ies)|durations?"
      r"|run ?times?"), ("latency", "total", "e2e", "ttft", "eval")),
    (r"response chars?|answer chars?|characters|chars|response (?:size|length)", ("answer_chars",)),
    (r"(?:answers|answered|responds?|responded|replies|replied)", ("latency", "ttft", "e2e", "total")),
    (r"word counts?|words", ("words",)),
    (r"speed[- ]?ups?", ("speedup",)),
    (r"efficienc(?:y|ies)", ("efficiency",)),
    (r"cv|coefficient of variation", ("cv",)),
    (r"gpu util(?:i[sz]ation)?|gpu usage|gpu load", ("gpu_util",)),
    (r"cpu (?:util(?:i[sz]ation)?|usage|load|percent)|cpu(?=\s?[:=]?\s?[~≈]?\d[\d.]*\s?%)", ("cpu", "process_cpu")),
    (r"utili[sz]ation", ("gpu_util", "cpu")),
    (r"gpu memory(?: used| usage)?|vram(?: used| usage)?|video memory", ("vram_used", "vram_total", "vram_free")),
    (r"(?:system )?ram(?: used| usage)?|system memory", ("ram_used", "ram", "ram_total")),
    (r"memory(?: used| usage| footprint)?|mem", ("vram_used", "ram_used", "ram", "process_ram", "vram_total")),
    (r"model sizes?(?: bytes)?|file size|footprint|(?:disk |storage )?space|(?<![\w ])sizes?",
     ("model_size",)),
    (r"power limit", ("power_limit",)),
    (r"power(?: draw| consumption| usage)?|wattage", ("power",)),
    (r"(?:gpu )?temperatures?", ("gpu_temp",)),
    (r"(?:gpu |graphics )?clocks?", ("gpu_clock", "clock")),
    (r"accurac(?:y|ies)", ("accuracy",)),
    (r"loss(?:es)?", ("loss",)),
    (r"cold[- ]?starts?", ("ttft", "load", "latency")),
    (r"disk(?: usage| used)?", ("disk", "disk_used")),
)  # fmt: skip
"""What people write -> the metrics it may mean, the likeliest first."""

STATISTIC_WORDS: tuple[tuple[str, str], ...] = (
    (r"p99|99th percentile", "p99"), (r"p95|95th percentile", "p95"), (r"p90|90th percentile", "p90"),
    (r"p0?5|5th percentile", "p5"), (r"p10|10th percentile", "p10"), (r"p50|median", "median"),
    (r"means?|avg|averages?|averaged|averaging|on average", "mean"),
    (r"std(?: ?dev)?|stdev|standard deviation|sd|\u03c3", "sd"),
    (r"max(?:imum)?|peak(?:s|ed|ing)?|highest|largest|longest|up to|spikes?|outliers?", "max"),
    (r"worst|slowest", "worst"),
    (r"best|top|fastest|quickest|winner|leader|leads|champion|rank(?:s|ed|ing|ings)?|optimal", "best"),
    (r"min(?:imum)?|lowest|smallest|shortest", "min"),
    (r"total|sum|altogether|in all|combined", "sum"),
)  # fmt: skip

CONDITION_WORDS: tuple[tuple[str, str], ...] = (
    (r"(?:despite|beside) (?:the )?warm-?up[\w -]{0,12}", ""),
    (r"exclud(?:ing|es|ed) (?:the )?(?:cold|first|warm-?up)[\w -]{0,12}|without (?:the )?cold[\w -]{0,12}", "warm"),
    (
        (
            r"(?:once|when|while|with)(?: the| it| they)?(?: models?)?(?: is| was| are)?(?: already)?"
            r" (?:loaded|warm(?:ed)?(?: up)?|resident)"
        ),
        "warm",
    ),
    (r"after (?:the )?(?:warm-?up|initial (?:model )?load|first (?:run|call|load|prompt|request|round))", "warm"),
    (r"warm-?ups?(?: \w+)?", ""),
    (r"warm(?:ed)?(?:[- ](?:state|start|cache|only))?|subsequent(?:ly)?|steady[- ]state|hot", "warm"),
    (r"afterwards?|thereafter|after that|from then on|later (?:runs?|calls?|requests?|prompts?)", "warm"),
    ((r"cold(?:[- ]?starts?)?|first[- ](?:prompt|request|call|run|load)s?|initial (?:request|call|run|load)"
      r"|first-run"), "cold"),
)  # fmt: skip

COMPARISON = re.compile(
    r"\b(?:faster|slower|higher|lower|more|less|fewer|smaller|larger|bigger|longer|shorter|better|worse|cheaper"
    r"|greater|improve(?:s|d|ment|ments)?|gains?|boosts?|reduc(?:es|ed|tion|tions)|increas(?:e|es|ed|ing)|"
    r"decreas(?:e|es|ed)|drops?|dropped|degrad(?:es|ed|ation)|regress(?:ed|ion|ions)?|speed-?up|differences?|deltas?"
    r"|overhead|advantage|penalty|savings?|ahead|behind|loss|change|outperforms?|above|below)\b|[ΔδΔ]",
    re.IGNORECASE,
)
"""A number with one of these beside it compares two things."""
LOWER = re.compile(
    r"\b(?:slower|lower|less|fewer|smaller|shorter|reduc\w+|decreas\w+|drops?|dropped|degrad\w+|behind|below|cheaper"
    r"|loss|los(?:es|e|ing|t)|falls?|fell)\b",
    re.IGNORECASE,
)
"""Of these the first thing is the smaller one."""
FASTER = re.compile(r"\b(?:faster|quicker|speed-?up|outperforms?|as fast as)\b", re.IGNORECASE)
SLOWER = re.compile(r"\b(?:slower)\b", re.IGNORECASE)

REQUIREMENT = re.compile(
    r"\b(?:must|should|shall|require[sd]?|requirements?|targets?|goals?|needs? to|needed|at least"
    r"|recommend(?:ed|ation)?|acceptance|criteri(?:a|on)|thresholds?|alerts?|slo|sla|budget|limits?|tolerance|adequate|sufficient|ideal"
    r"|aim(?:s|ed)?|would be|want)\b",
    re.IGNORECASE,
)
FORECAST = re.compile(
    r"\b(?:expect(?:s|ed|ation|ations)?|would|could|might|may|will|estimat(?:e|es|ed)|predict(?:s|ed)|project(?:s|ed)"
    r"|potential(?:ly)?|anticipat\w+|theoretical(?:ly)?|hypothes\w+|forecast|planned|future|est\.)(?!\w)",
    re.IGNORECASE,
)
REQUIREMENT_HEADING = re.compile(
    r"\b(?:requirements?|targets?|goals?|prerequisites?|future|next steps?|roadmap|scope|objectives?|thresholds?"
    r"|acceptance|criteria|budgets?|slos?|hypothes[ei]s|cost|glossary)\b",
    re.IGNORECASE,
)

COUNTED: tuple[tuple[str, str], ...] = (
    (r"timeouts?|timed[- ]out(?: runs)?", "timeouts"),
    (r"failures?|failed(?: \w+)?|errors?|crash(?:es)?|fail(?:s|ed)?", "failed"),
    (r"succe(?:ssful|eded|sses)(?: \w+)?", "succeeded"),
    ((r"config(?:uration)?s?(?: tested| evaluated)?|parameter (?:configurations|combinations)|combinations|settings"
      r"|test configurations"), "configurations"),
    ((r"(?:total |benchmark |test |timed |individual |parameter )*(?:runs?|rows?|tests?|trials?|measurements?|samples?"
      r"|requests?|iterations?|experiments?|inferences?|records?|generations?)"), "runs"),
    (r"(?:[a-z]+ )?prompts?|scenarios?", "prompts"),
    ((r"(?:distinct |local |different )*(?:models?|model variants|variants|quanti[sz]ations?|quants"
      r"|quanti[sz]ation (?:variants|levels))"), "models"),
    (r"backends?", "backends"),
    (r"(?:data |csv |json )?files?|artifacts?", "files"),
)  # fmt: skip
"""Nouns whose number can be looked up -> which set."""

_KNOWN_FAMILIES = (
    "llama|gemma|mistral|mixtral|qwen|phi|deepseek|granite|command-r|vicuna|tinyllama|smollm|codellama|starcoder|olmo"
    "|nemotron|gpt-oss|pythia|wizardlm|nomic-embed"
)
FAMILY = re.compile(
    rf"(?<![\w/.])(?:{_KNOWN_FAMILIES})(?!\.cpp)(?=[\d:\s,.;)(/-]|$)(?:[\d.]*\d)?(?:[:-][\w.]*\w)*", re.IGNORECASE
)
"""A name that is a model's even where the data do not know it."""
ENGINE = re.compile(
    r"(?<![\w/.-])(?:vllm|tgi|tensorrt(?:-llm)?|sglang|llama\.cpp|exllama(?:v2)?|mlc(?:-llm)?|lmdeploy|openvino|deepspeed|ctranslate2"
    r"|onnx ?runtime|ktransformers|lm ?studio|triton)(?![\w/.])",
    re.IGNORECASE,
)
"""A name that is a serving engine's even where the data do not know it."""
TAGGED = re.compile(r"(?<![\w/.:])[A-Za-z][\w.-]*:(?:latest|\d+(?:\.\d+)?[bBmM]\b[\w.-]*|[a-z][\w.-]*)(?![\w:/])")
"""A name with a tag."""


class Word(NamedTuple):
    """A word with a meaning, where it stands."""

    start: int
    end: int
    means: tuple[str, ...]


_TABLES: dict[str, tuple[tuple[str, str | tuple[str, ...]], ...]] = {
    "metric": METRIC_WORDS,
    "statistic": STATISTIC_WORDS,
    "condition": CONDITION_WORDS,
    "counted": COUNTED,
}


@cache
def _pattern(which: str) -> re.Pattern[str]:
    joined = "|".join(f"(?P<g{index}>{pattern})" for index, (pattern, _) in enumerate(_TABLES[which]))
    return re.compile(rf"(?<![A-Za-z0-9])(?:{joined})(?![A-Za-z0-9])", re.IGNORECASE)


@cache
def _meanings(which: str) -> tuple[tuple[str, ...], ...]:
    """What each pattern means; nothing of words that only keep others from being found."""
    return tuple(tuple(filter(None, (means,) if isinstance(means, str) else means)) for _, means in _TABLES[which])


@lru_cache(maxsize=8192)
def words_in(which: str, text: str) -> tuple[Word, ...]:
    """The words of one kind ("metric", "statistic", "condition", "counted") in a text, in order."""
    meanings = _meanings(which)
    found = []
    for match in _pattern(which).finditer(text.replace("_", " ")):
        assert match.lastgroup is not None, "every alternative is named"
        if means := meanings[int(match.lastgroup[1:])]:
            found.append(Word(match.start(), match.end(), means))
    return tuple(found)
